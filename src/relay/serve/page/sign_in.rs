//! The form that a token is pasted into. Pure.

use maud::html;

use super::frame::plain;

/// The page `/login`; `problem` says why the token before was not taken.
pub fn sign_in(problem: Option<&str>, back: &str) -> String {
    let main = html! {
        section.narrow {
            h1 { "Sign in" }
            p { "Paste one of the tokens that the rules file names: an " code { "admin_token" } " to act, a " code { "read_token" } " to look." }
            @if let Some(problem) = problem { p.notice.bad role="alert" { (problem) } }
            form method="post" action="/login" {
                input type="hidden" name="back" value=(back);
                label for="token" { "Token" }
                input #token type="password" name="token" required autocomplete="current-password" autofocus;
                button { "Sign in" }
            }
            p.fine { "The sign-in lasts 12 hours. The cookie holds a signature, not the token." }
        }
    };
    plain("Sign in · alert-relay", &main)
}
