//! People are told what becomes of alerts: messages that the store keeps are sent to the targets of the rules file, at least
//! once, in the order of each alert. What is told is decided where it happens, in the store's transaction; here it is put
//! into words and sent.

mod address;
mod backoff;
mod client;
mod discord;
mod form;
mod github;
mod mail;
mod notice;
mod pagerduty;
mod post;
mod quoting;
mod sending;
mod slack;
mod smtp;
mod target;
mod teams;
mod tried;
mod verdict;
mod webhook;
mod words;
mod worker;

pub use address::Allowed;
pub use mail::{Encryption, Mail};
pub use notice::{Event, Happened, Notice, Subscription, of_course, of_late_end};
pub use sending::try_out;
pub use target::{Kind, Settings, Slack, Target};
pub use webhook::check as check_template;
pub use worker::tell;
