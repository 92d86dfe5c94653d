//! A Devin organization that is not real: the same API on loopback, for trying and for testing.
//!
//! What is there from the start is worked out from a seed and an index, so a million sessions take no
//! memory and two runs give the same bytes. Sessions that a client creates are kept in memory and live:
//! a tag `scenario:<name>` picks what becomes of one (see [`scenarios`]), [`Options::session_seconds`]
//! how long it takes. It knows nothing of the rest of the crate, reads no file, and writes to nobody's
//! terminal; only the server reads a clock, and only for the created sessions.
//!
//! A key has every permission but those in [`Options::without_permissions`]. Creating a session and
//! writing to one need `UseDevinSessions`, ending and tagging one `ManageOrgSessions`. Since the latter
//! would grant the former, a key without `UseDevinSessions` has neither.
//!
//! ```text
//! server     accepts, delays, breaks answers on purpose      fault     which answer breaks, and how
//! route      which path is what, who may ask, who answers    problem   every refusal
//! query      the question: parameters, values                page      cursors and the envelope
//! body       what is sent: fields, types, limits             key       whose key it is
//! filter     which sessions and notes are meant              json      the text of an answer
//! list       the shorter lists: where each is, and who may
//! data/      the organization itself: pure arithmetic over words
//! oddity     lags, stale lists, changed tags, a clock of its own
//! live/      created sessions: what they are asked, how they end, what they say
//! ```

mod body;
mod data;
mod fault;
mod filter;
mod json;
mod key;
mod list;
mod live;
mod oddity;
mod page;
mod problem;
mod query;
mod route;
mod server;
#[cfg(test)]
mod tests;

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use fault::{Fault, FaultKind, Rate};
pub use oddity::{CreateAnswer, Oddities, TagRule};

/// The key of a service user of the organization. It opens nothing anywhere else.
pub const TOKEN: &str = "cog_sandbox_0_not_a_real_key";

/// The key of a service user of the enterprise, which names no organization but may list them.
pub const TOKEN_ENTERPRISE: &str = "cog_sandbox_not_a_real_enterprise_key";

/// A person's access token, which names the organization in `devin_sessions_org_id` only.
pub const TOKEN_PERSONAL: &str = "cog_sandbox_not_a_real_personal_key";

/// The organization that the sandbox has, and whose key [`TOKEN`] is.
pub const ORG_ID: &str = "org-5a4db0c05a4db0c05a4db0c05a4db0c0";

/// The organizations that it can have, [`ORG_ID`] first. The others can only be read, with the key of the enterprise.
pub const ORG_IDS: [&str; 3] = [ORG_ID, "org-7c19e4b27c19e4b27c19e4b27c19e4b2", "org-93f06d5e93f06d5e93f06d5e93f06d5e"];

/// The permissions that its key has, all of which can be left out.
pub const PERMISSIONS: [&str; 15] = [
    "ViewOrgSessions",
    "UseDevinSessions",
    "ManageOrgSessions",
    "ManageOrgPlaybooks",
    "ManageOrgSecrets",
    "ManageOrgKnowledge",
    "ViewOrgMembership",
    "ViewOrgSchedules",
    "ViewOrgAutomations",
    "ViewOrgConsumption",
    "ViewOrgMetrics",
    "ViewAccountMembership",
    "ManageEnterpriseSettings",
    "ManageBilling",
    route::ENTERPRISE_PERMISSION,
];

/// What the organization holds, and how its server misbehaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// How many organizations the enterprise has, from 1 to as many as [`ORG_IDS`].
    pub organizations: usize,
    /// How many sessions the first organization has; others have a third as many.
    pub sessions: usize,
    /// How many messages every session has; `None` lets it vary, with one session of 230.
    pub messages: Option<usize>,
    /// The same seed gives the same organization, and the same order of faults.
    pub seed: u64,
    /// How long every answer is held back.
    pub latency: Duration,
    /// What goes wrong; the first one that is due breaks the answer. Only GETs are struck.
    pub faults: Vec<Fault>,
    /// The permissions the key lacks, such as `ManageOrgSecrets`.
    pub without_permissions: Vec<String>,
    /// How long a created session takes to its end; 0 ends it at once, infinity never.
    pub session_seconds: f64,
    /// How many created sessions may run before a create is answered with 429; `None` is no limit.
    ///
    /// A session that is created and then suspended for want of quota is a scenario instead.
    pub quota: Option<usize>,
    /// How it lags, forgets and misnames.
    pub oddities: Oddities,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            port: 0,
            organizations: 1,
            sessions: 36,
            messages: None,
            seed: 1,
            latency: Duration::ZERO,
            faults: Vec::new(),
            without_permissions: Vec::new(),
            session_seconds: 3.0,
            quota: None,
            oddities: Oddities::default(),
        }
    }
}

/// What can become of a created session: each name, for a tag `scenario:<name>`, and what happens.
pub fn scenarios() -> impl Iterator<Item = (&'static str, &'static str)> {
    live::scenario::ALL.iter().map(|scenario| (scenario.name, scenario.about))
}

/// The names of all scenarios.
pub const SCENARIOS: &[&str] = &live::scenario::NAMES;

/// A running server. Dropping it stops accepting and closes its connections.
#[derive(Debug)]
pub struct Sandbox {
    port: u16,
    accepting: JoinHandle<()>,
}

impl Sandbox {
    /// Binds 127.0.0.1 and serves on the current tokio runtime, until the sandbox is dropped.
    ///
    /// # Errors
    /// The port is taken or may not be bound.
    pub async fn start(options: Options) -> io::Result<Sandbox> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let port = listener.local_addr()?.port();
        let accepting = tokio::spawn(server::accept(listener, options));
        Ok(Sandbox { port, accepting })
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port it listens on, also when any free one was asked for.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves until the caller is stopped: it returns only if the server itself dies.
    pub async fn run_until_stopped(mut self) {
        // An aborted or panicked server has nothing to add, and the caller cannot mend it.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
