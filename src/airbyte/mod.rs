//! The Airbyte protocol, as far as a source speaks it. Knows no HTTP and no Devin.

pub mod catalog;
pub mod line;
pub mod message;
pub mod state;

pub use catalog::{ConfiguredCatalog, SyncMode};
pub use message::{FailureType, Level, Message, StreamDescriptor, StreamStatus};
pub use state::InputState;
