//! What people see of the bridge: the status page, the page of one alert, and the forms that act. Pure: values in, HTML out.
//!
//! Whatever is shown is escaped here (by `maud`, which escapes everything that it is handed), and nothing is a link but
//! `http` and `https`. Who may see a page, and where its values come from, is known in `http/`. It runs without scripts;
//! `live.js` only fetches the same page again when something has changed.

mod action;
mod alert;
mod beside;
mod chart;
mod filter;
mod frame;
mod list;
mod overview;
mod sign_in;
mod standing;
#[cfg(test)]
mod tests;
mod view;
mod words;

pub use action::Action;
pub use alert::alert;
pub use filter::{Filter, percent_decoded, percent_encoded};
pub use frame::{Frame, Notice, Viewer, detour, plain_problem};
pub use overview::overview;
pub use sign_in::sign_in;
pub use view::{
    AlertPage, AlertRow, Choices, Day, Health, Integration, JobRow, Limit, Moment, Overview, Prompt, Quota, Refusal,
    Route, RuleCost, RuleRow, Session, StormRow, StormState, Tally, ToPullRequest, Waits,
};
pub use words::span;

/// What a page is made of beside its HTML: a path, a media type, and the bytes that stand there.
pub const ASSETS: [(&str, &str, &str); 3] = [
    ("/page/style.css", "text/css; charset=utf-8", include_str!("style.css")),
    ("/page/live.js", "text/javascript; charset=utf-8", include_str!("live.js")),
    ("/page/icon.svg", "image/svg+xml", include_str!("icon.svg")),
];

/// Nothing runs and nothing is loaded but what comes from here, and nobody frames it.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
