//! The Devin API v3, as far as this program calls it. Knows no Airbyte and no alerts.

pub mod address;
pub mod client;
pub mod clock;
mod connection;
pub mod error;
pub mod form;
pub mod gate;
pub mod memory;
pub mod pace;
pub mod page;
pub mod principal;
pub mod retry;
pub mod session;
pub mod sessions;
pub mod surrogate;
pub mod token;
pub mod transport;
pub mod walk;

pub use address::{base_address, endpoint};
pub use client::{Client, Event};
pub use connection::{Settings, kind_of, provide_cryptography, reaching, root_cause, trusting};
pub use error::{Error, Kind};
pub use form::{Form, Paging, Shape};
pub use page::{Item, Noted, Page, Request, Trail};
pub use principal::Principal;
pub use token::Token;
