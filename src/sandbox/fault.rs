//! What can be made to go wrong, how it is written (`KIND:RATE`), and which request it strikes.
//!
//! Only GETs are struck, and only they are counted: what a create or another change can suffer is told
//! by a scenario of the session, so that it is known what was done when the answer broke.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use super::data::dice::{Dice, Topic};

/// One way of going wrong, and how often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    pub kind: FaultKind,
    pub rate: Rate,
}

/// A way of going wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FaultKind {
    /// A 429 that does not say how long to wait.
    RateLimit,
    /// A 429 with `Retry-After: 1`.
    RateLimitRetryAfter,
    /// A 500.
    ServerError,
    /// The connection is reset before any answer.
    Reset,
    /// Fewer bytes than `Content-Length` promised, then the connection closes.
    Truncate,
    /// No answer, for as long as the client waits.
    Hang,
    /// A 200 that carries a web page instead of JSON.
    Html,
    /// A list page that promises another one behind a cursor that never moves.
    StuckCursor,
}

/// How often a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// The first time that each distinct path and query is asked.
    Once,
    /// Any request, with this probability between 0 and 1.
    Probability(f64),
}

impl FaultKind {
    pub const ALL: [FaultKind; 8] = [
        FaultKind::RateLimit,
        FaultKind::RateLimitRetryAfter,
        FaultKind::ServerError,
        FaultKind::Reset,
        FaultKind::Truncate,
        FaultKind::Hang,
        FaultKind::Html,
        FaultKind::StuckCursor,
    ];

    /// The word for it on the command line.
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::RateLimit => "429",
            FaultKind::RateLimitRetryAfter => "429-retry-after",
            FaultKind::ServerError => "500",
            FaultKind::Reset => "reset",
            FaultKind::Truncate => "truncate",
            FaultKind::Hang => "hang",
            FaultKind::Html => "html",
            FaultKind::StuckCursor => "stuck-cursor",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rate::Once => f.write_str("once"),
            Rate::Probability(probability) => write!(f, "{probability}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.rate)
    }
}

/// A text that names no fault; it displays as one sentence that lists the kinds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FaultError {
    input: String,
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a fault: write KIND:RATE, where RATE is `once` or a probability from 0 to 1 and KIND is one of {}",
            self.input,
            FaultKind::ALL.map(FaultKind::name).join(", ")
        )
    }
}

impl std::error::Error for FaultError {}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(input: &str) -> Result<Fault, FaultError> {
        let error = || FaultError { input: input.to_owned() };
        let (kind, rate) = input.split_once(':').ok_or_else(error)?;
        let kind = FaultKind::ALL.into_iter().find(|known| known.name() == kind);
        let rate = match rate {
            "once" => Some(Rate::Once),
            number => {
                number.parse().ok().filter(|probability| (0.0..=1.0).contains(probability)).map(Rate::Probability)
            }
        };
        Ok(Fault { kind: kind.ok_or_else(error)?, rate: rate.ok_or_else(error)? })
    }
}

/// Decides which request goes wrong: by the seed and the order of the requests, never by chance.
#[derive(Debug)]
pub struct Faults {
    faults: Vec<Fault>,
    seed: u64,
    requests: u64,
    struck: HashSet<(usize, String)>,
}

impl Faults {
    pub fn new(faults: Vec<Fault>, seed: u64) -> Faults {
        Faults { faults, seed, requests: 0, struck: HashSet::new() }
    }

    /// The fault that strikes the next GET: the first in order that is due, or `None`.
    ///
    /// `target` is the path with its query; only a paged list can have a cursor that is stuck.
    pub fn strike(&mut self, target: &str, is_paged: bool) -> Option<FaultKind> {
        self.requests += 1;
        for (place, fault) in self.faults.iter().enumerate() {
            if fault.kind == FaultKind::StuckCursor && !is_paged {
                continue;
            }
            let is_due = match fault.rate {
                Rate::Once => self.struck.insert((place, target.to_owned())),
                Rate::Probability(probability) => {
                    let number = self.requests * self.faults.len() as u64 + place as u64;
                    Dice::new(self.seed, Topic::Fault, number).fraction() < probability
                }
            };
            if is_due {
                return Some(fault.kind);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str) -> String {
        match input.parse::<Fault>() {
            Ok(fault) => fault.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_kind_reads_as_it_is_written() {
        for kind in FaultKind::ALL {
            for rate in [Rate::Once, Rate::Probability(0.05), Rate::Probability(1.0)] {
                let fault = Fault { kind, rate };
                assert_eq!(fault.to_string().parse(), Ok(fault));
            }
        }
    }

    #[test]
    fn what_is_no_fault_is_told_what_one_is() {
        let inputs = ["429:once", "html:0.050", "reset:1", "429", "503:once", "500:often", "500:1.5", "500:NaN", ""];
        insta::assert_snapshot!(inputs.map(check).join("\n"), @"
        429:once
        html:0.05
        reset:1
        `429` is not a fault: write KIND:RATE, where RATE is `once` or a probability from 0 to 1 and KIND is one of 429, 429-retry-after, 500, reset, truncate, hang, html, stuck-cursor
        `503:once` is not a fault: write KIND:RATE, where RATE is `once` or a probability from 0 to 1 and KIND is one of 429, 429-retry-after, 500, reset, truncate, hang, html, stuck-cursor
        `500:often` is not a fault: write KIND:RATE, where RATE is `once` or a probability from 0 to 1 and KIND is one of 429, 429-retry-after, 500, reset, truncate, hang, html, stuck-cursor
        `500:1.5` is not a fault: write KIND:RATE, where RATE is `once` or a probability from 0 to 1 and KIND is one of 429, 429-retry-after, 500, reset, truncate, hang, html, stuck-cursor
        `500:NaN` is not a fault: write KIND:RATE, where RATE is `once` or a probability from 0 to 1 and KIND is one of 429, 429-retry-after, 500, reset, truncate, hang, html, stuck-cursor
        `` is not a fault: write KIND:RATE, where RATE is `once` or a probability from 0 to 1 and KIND is one of 429, 429-retry-after, 500, reset, truncate, hang, html, stuck-cursor
        ");
    }

    #[test]
    fn once_strikes_each_path_and_query_once() {
        let faults = ["500:once", "stuck-cursor:once"].map(|text| text.parse().unwrap());
        let mut faults = Faults::new(faults.to_vec(), 1);
        let asked = ["/a?x", "/a?x", "/a?x", "/a?y", "/a?x"];
        let struck = asked.map(|target| faults.strike(target, true));
        insta::assert_debug_snapshot!(struck, @"
        [
            Some(
                ServerError,
            ),
            Some(
                StuckCursor,
            ),
            None,
            Some(
                ServerError,
            ),
            None,
        ]
        ");
        assert_eq!(faults.strike("/unpaged", false), Some(FaultKind::ServerError));
        assert_eq!(faults.strike("/unpaged", false), None);
    }

    #[test]
    fn a_probability_is_met_and_is_the_same_for_the_same_seed() {
        let strikes = |seed| {
            let mut faults = Faults::new(vec!["500:0.05".parse().unwrap()], seed);
            let mut strike = || faults.strike("/", true).is_some();
            (0..10_000).map(|_| strike()).collect::<Vec<bool>>()
        };
        assert_eq!(strikes(1), strikes(1));
        assert_ne!(strikes(1), strikes(2));
        let count = strikes(1).into_iter().filter(|struck| *struck).count();
        assert!((400..600).contains(&count), "{count} of 10000");
    }
}
