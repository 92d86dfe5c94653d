//! What every page has around it: the head, who is signed in, and what was just done. Pure.

use maud::{DOCTYPE, Markup, html};

/// Who looks, and what goes with every page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// In Unix milliseconds.
    pub now: i64,
    pub viewer: Viewer,
    /// What a form has to send back; empty where the viewer may do nothing.
    pub form_token: String,
    /// Where a form leads back to: the path of this page and its query.
    pub here: String,
    pub notice: Option<Notice>,
    /// How many changes there have been: the page asks for those after it.
    pub seen: u64,
}

/// Who looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// No token is set up, and the request comes from this machine: everything is allowed.
    Anyone,
    /// May look.
    Reader(String),
    /// May act, too.
    Admin(String),
}

/// What came of the last action.
#[derive(Debug, Clone)]
pub struct Notice {
    pub is_good: bool,
    pub text: String,
}

impl Frame {
    /// Whether forms that act are shown.
    pub fn may_act(&self) -> bool {
        !matches!(self.viewer, Viewer::Reader(_))
    }
}

/// A whole page. `main` is what is fetched again when something has changed.
pub fn page(frame: &Frame, title: &str, main: &Markup) -> String {
    let corner = html! {
        @match &frame.viewer {
            Viewer::Anyone => span.who { "Open on this machine" },
            Viewer::Reader(name) => { span.who { "Signed in to read" (named(name)) } a href="/login" { "Sign in to act" } },
            Viewer::Admin(name) => {
                span.who { "Signed in" (named(name)) }
                form.plain method="post" action="/logout" {
                    input type="hidden" name="form_token" value=(frame.form_token);
                    button.link { "Sign out" }
                }
            },
        }
    };
    let live = html! {
        @if let Some(notice) = &frame.notice {
            p.notice.bad[!notice.is_good] role="status" { (notice.text) }
        }
        (main)
    };
    document(title, &corner, &live, Some(frame.seen))
}

/// A page without anything live on it: a form to sign in, or why something was not done.
pub fn plain(title: &str, main: &Markup) -> String {
    document(title, &Markup::default(), main, None)
}

/// A page that says why something is not there or was not done, and leads back.
pub fn plain_problem(title: &str, reasons: &[String], back: &str) -> String {
    let main = html! {
        section.narrow {
            h1 { (title) }
            @for reason in reasons { p { (reason) } }
            p { a href=(back) { @if back == "/login" { "Sign in" } @else { "Back" } } }
        }
    };
    plain(&format!("{title} · alert-relay"), &main)
}

/// A page that leads to `path` at once, so that the browser takes the next request for one of our own.
pub fn detour(path: &str) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="refresh" content=(format!("0; url={path}"));
                title { "alert-relay" }
            }
            body { p { a href=(path) { "Go on to alert-relay" } } }
        }
    }
    .into_string()
}

fn named(name: &str) -> Markup {
    html! { @if !name.is_empty() { " as " strong { (name) } } }
}

fn document(title: &str, corner: &Markup, main: &Markup, seen: Option<u64>) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) }
                link rel="icon" href="/page/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/page/style.css";
                @if seen.is_some() { script src="/page/live.js" defer {} }
            }
            body {
                a.skip href="#main" { "Skip to the alerts" }
                header.top {
                    a.home href="/" { "alert-relay" }
                    nav aria-label="Account" { (corner) }
                }
                main #main tabindex="-1" data-seen=[seen] { (main) }
            }
        }
    }
    .into_string()
}
