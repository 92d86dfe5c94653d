//! What `check` has found, for a platform on one line and for a person on several. Asks nothing.

use crate::airbyte::message::CheckStatus;
use crate::airbyte::{FailureType, Level};
use crate::source::emit::Emitter;
use crate::source::progress::counted;
use crate::source::streams::{Stream, is_permission};

/// What is said of streams of which it is not known whether they can be read.
const UNTRIED: &str = "Not tried, because there is no session or nobody to try with";

/// What the API says about a connection.
#[derive(Debug)]
pub enum Verdict {
    /// Usable; the sentences say which streams cannot be read, or not now, and what is missing for those that few keys may read.
    Usable { streams: Vec<Readable>, warnings: Vec<String>, missing: Vec<Missing> },
    /// The user has to change something first.
    Unusable { message: String },
    /// The API did not say: it could not be reached, or has trouble.
    Unknown { message: String, failure_type: FailureType },
    /// The same for each of several organizations.
    OfEach(Vec<(String, Verdict)>),
}

/// A stream that can be read.
#[derive(Debug)]
pub struct Readable {
    pub(super) stream: &'static Stream,
    /// How many items its list has; `None` when the API does not say, or the stream has a list for each session.
    pub(super) total: Option<u64>,
    pub(super) is_per_session: bool,
}

/// A stream that cannot be read, as far as it is known.
#[derive(Debug)]
pub struct Missing {
    pub(super) stream: &'static Stream,
    pub(super) why: Why,
}

/// What stands in its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The key lacks a permission.
    Refused,
    /// The API does not know it.
    Unknown,
    /// There is no session, or nobody, to try it with.
    Untried,
}

/// Which streams can be read, and what the others lack, for a message.
fn in_words(readable: &[Readable], missing: &[Missing]) -> String {
    let names = |is_usual: bool| {
        let of = readable.iter().filter(|readable| readable.stream.is_usual == is_usual);
        of.map(|readable| readable.stream.name).collect::<Vec<_>>()
    };
    let mut text = format!("Streams that can be read: {}", names(true).join(", "));
    let of = |why: Why| missing.iter().filter(move |missing| missing.why == why);
    let named = |why: Why| of(why).map(|missing| missing.stream.name).collect::<Vec<_>>();
    let refused: Vec<String> = of(Why::Refused).map(Missing::text).collect();
    for (head, names) in [
        ("Further ones", names(false).join(", ")),
        ("Not for this key", refused.join(", ")),
        ("Not offered by this API", named(Why::Unknown).join(", ")),
        (UNTRIED, named(Why::Untried).join(", ")),
    ] {
        if !names.is_empty() {
            text += &format!(". {head}: {names}");
        }
    }
    text
}

impl Missing {
    /// `members (needs ViewOrgMembership)`
    fn text(&self) -> String {
        let Missing { stream, why } = self;
        let plan = match stream.is_enterprise {
            true if stream.path_of_enterprise().is_some() => ", with a key of the enterprise",
            true => ", on an Enterprise plan",
            false => "",
        };
        match why {
            Why::Unknown => format!("{} (not offered by this API)", stream.name),
            Why::Untried => stream.name.to_string(),
            Why::Refused if is_permission(stream.permission) => {
                format!("{} (needs {}{plan})", stream.name, stream.permission)
            }
            Why::Refused => format!("{} (needs a permission {}{plan})", stream.name, stream.permission),
        }
    }
}

impl Verdict {
    /// Whether a read can begin.
    pub fn is_usable(&self) -> bool {
        match self {
            Verdict::Usable { .. } => true,
            Verdict::Unusable { .. } | Verdict::Unknown { .. } => false,
            Verdict::OfEach(verdicts) => verdicts.iter().all(|(_, verdict)| verdict.is_usable()),
        }
    }

    /// The same for a person: the streams that can be read, a line each, or why there are none.
    pub fn text(&self) -> String {
        let (streams, missing) = match self {
            Verdict::Usable { streams, missing, .. } => (streams, missing),
            Verdict::Unusable { message } | Verdict::Unknown { message, .. } => return message.clone(),
            Verdict::OfEach(verdicts) => {
                let texts = verdicts.iter().map(|(org_id, verdict)| format!("{org_id}: {}", verdict.text()));
                return texts.collect::<Vec<_>>().join("\n");
            }
        };
        let line = |stream: &Readable| {
            let total = match stream.total {
                Some(total) => format!("{:>18}", counted(total, "record", "records")),
                None if stream.is_per_session => format!("{:>18}", "of each session"),
                None => String::new(),
            };
            format!("\n  {:<24}{total}", stream.stream.name).trim_end_matches(' ').to_string()
        };
        let readable: String = streams.iter().map(line).collect();
        let mut text = format!("The connection works. Streams that can be read:{readable}");
        let (untried, lacking): (Vec<&Missing>, Vec<&Missing>) =
            missing.iter().partition(|missing| missing.why == Why::Untried);
        for (head, streams) in [("Streams that cannot be read", lacking), (UNTRIED, untried)] {
            if !streams.is_empty() {
                text += &format!("\n{head}:");
            }
            streams.iter().for_each(|missing| text += &format!("\n  {}", missing.text()));
        }
        text
    }

    /// The same on one line, with how sure the API has been; of several organizations, the worst counts for all.
    fn summary(&self) -> (CheckStatus, Option<FailureType>, String) {
        match self {
            Verdict::Usable { streams, missing, .. } => (CheckStatus::Succeeded, None, in_words(streams, missing)),
            Verdict::Unusable { message } => (CheckStatus::Failed, None, message.clone()),
            Verdict::Unknown { message, failure_type } => (CheckStatus::Failed, Some(*failure_type), message.clone()),
            Verdict::OfEach(verdicts) => {
                let each: Vec<_> = verdicts.iter().map(|(org_id, verdict)| (org_id, verdict.summary())).collect();
                let status = if self.is_usable() { CheckStatus::Succeeded } else { CheckStatus::Failed };
                let unknown = each.iter().find_map(|(_, (_, failure_type, _))| *failure_type);
                let text = |(org_id, (_, _, message)): &(&String, (_, _, String))| {
                    format!("{org_id}: {}", message.trim_end_matches('.'))
                };
                (status, unknown, each.iter().map(text).collect::<Vec<_>>().join(". "))
            }
        }
    }

    /// Sentences about streams that cannot be read, or not now.
    fn warnings(&self) -> Vec<String> {
        match self {
            Verdict::Usable { warnings, .. } => warnings.clone(),
            Verdict::Unusable { .. } | Verdict::Unknown { .. } => Vec::new(),
            Verdict::OfEach(verdicts) => verdicts
                .iter()
                .flat_map(|(org_id, verdict)| {
                    verdict.warnings().into_iter().map(move |warning| format!("{org_id}: {warning}"))
                })
                .collect(),
        }
    }

    /// Says it in Airbyte's way, and answers whether the command has succeeded: a connection that is found unusable
    /// is an answer, one that could not be tried is not.
    pub fn say(&self, emitter: &Emitter) -> bool {
        self.warnings().iter().for_each(|warning| emitter.log(Level::Warn, warning));
        match self.summary() {
            (status, None, message) => {
                emitter.connection(status, Some(&message));
                true
            }
            (_, Some(failure_type), message) => {
                emitter.error(&message, failure_type, None);
                false
            }
        }
    }
}
