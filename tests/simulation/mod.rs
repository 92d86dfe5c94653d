//! An organization that is not real, over time that does not pass: it changes between any two requests, answers as the API
//! might, breaks down, and is read by chains of syncs that are cut short anywhere. Everything follows from one seed.
//!
//! | File | What it knows |
//! |---|---|
//! | `behavior.rs` | how this API orders, pages, filters, counts and dates; in which corners no client could win |
//! | `organization.rs` | what is true, and what happens |
//! | `server.rs` | requests, answers, and what goes wrong on the way |
//! | `chain.rs` | the platform: what it has read, and the state it keeps |
//! | `verdict.rs` | the truth against what has arrived |

pub mod behavior;
pub mod chain;
pub mod organization;
pub mod server;
pub mod verdict;

use std::fmt::Write as _;
use std::ops::AddAssign;
use std::time::Duration;

use fastrand::Rng;
use source_devin_ai::source::read::Ending;

use self::behavior::Behavior;
use self::chain::{Chain, Ended, Mode};
use self::organization::{FIGURES, FILES, SHORT_LISTS, SPENDING, USAGE};
use self::server::{Refusal, Server, Trouble};
use crate::common;

/// Every kind of list: those that every key may read, and some that are built in another way.
pub fn played() -> impl Iterator<Item = &'static str> {
    let further = SHORT_LISTS.iter().map(|(stream, ..)| *stream).filter(|stream| !common::STREAMS.contains(stream));
    common::STREAMS.into_iter().chain(["pull_requests", FILES]).chain(further)
}

/// Those of them that an API has, and that are read in little time.
fn streams(behavior: &Behavior, start_date: Option<i64>) -> Vec<&'static str> {
    let all = played().filter(|stream| ![FIGURES, USAGE, SPENDING].contains(stream) || behavior.knows_days());
    // Without a start date it takes a request for each of ninety days.
    all.filter(|stream| *stream != USAGE || start_date.is_some()).collect()
}

/// What has gone wrong in a history, and how it came to that.
#[derive(Debug)]
pub struct Failed {
    pub wrong: String,
    pub story: String,
}

/// The history of one seed, from the first sync to the last, and how many requests, records and syncs it took. The story of
/// one that is told has all requests and answers.
///
/// # Errors
/// What was lost, altered, invented or repeated, or which sync did not end as it should.
pub fn history(seed: u64, is_told: bool) -> Result<Figures, Failed> {
    over_virtual_time(seed, async { History::new(seed, is_told).run().await })
}

/// Everything that is asked, answered and said in the history of one seed, whatever comes of it.
pub fn story(seed: u64) -> String {
    over_virtual_time(seed, async {
        let mut history = History::new(seed, true);
        let outcome = history.run().await;
        format!("{}{outcome:?}", history.story)
    })
}

fn over_virtual_time<T>(seed: u64, what: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    // The client lengthens its waits by chance.
    fastrand::seed(seed);
    runtime.expect("a thread can run tasks").block_on(what)
}

#[derive(Debug, Default, Clone, Copy)]
pub struct Figures {
    pub syncs: u64,
    pub requests: u64,
    pub records: u64,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Figures) {
        self.syncs += other.syncs;
        self.requests += other.requests;
        self.records += other.records;
    }
}

impl Failed {
    /// The panic has been printed.
    pub fn panicked() -> Failed {
        Failed { wrong: "a panic, see above".to_string(), story: String::new() }
    }
}

struct History {
    dice: Rng,
    server: Server,
    chain: Chain,
    story: String,
    /// Where the full refresh that is under way began: the time, the first arrival, and how many syncs it has taken.
    refresh: Option<(i64, usize, u32)>,
    /// Whether the enterprise's trail was refused meanwhile.
    was_trail_refused: bool,
}

impl History {
    fn new(seed: u64, is_told: bool) -> History {
        let mut dice = Rng::with_seed(seed);
        let config = chain::settings(&mut dice, 1_700_000_000);
        let behavior = Behavior::draw(&mut dice, config.lookback_window, !config.org_ids.is_empty());
        let story = format!("{behavior:#?}\n{config:#?}\n");
        let streams: Vec<(&str, Mode)> = match dice.u8(..4) {
            0 => streams(&behavior, config.start_date).into_iter().map(|stream| (stream, Mode::Incremental)).collect(),
            1 => streams(&behavior, config.start_date).into_iter().map(|stream| (stream, Mode::FullRefresh)).collect(),
            _ => {
                let mut streams: Vec<&str> = streams(&behavior, config.start_date);
                dice.shuffle(&mut streams);
                streams.truncate(dice.usize(1..=3));
                streams
                    .into_iter()
                    .map(|stream| (stream, [Mode::Incremental, Mode::FullRefresh][dice.usize(..2)]))
                    .collect()
            }
        };
        let server = Server::new(behavior, dice.fork());
        server.world().log = is_told.then(String::new);
        History { dice, server, chain: Chain::new(config, streams), story, refresh: None, was_trail_refused: false }
    }

    async fn run(&mut self) -> Result<Figures, Failed> {
        for _ in 0..self.dice.u8(1..=6) {
            self.time_passes().await;
            self.settings_change();
            self.goes_wrong();
            let cut = self.dice.u8(..4) == 0;
            self.sync(cut).await?;
        }
        // Now everything comes to rest, and shows.
        let lag_ms = {
            let mut world = self.server.world();
            (world.events_left, world.trouble) = (0, Trouble::default());
            world.behavior.lag_ms
        };
        tokio::time::advance(Duration::from_millis(lag_ms as u64 + 1000)).await;
        for _ in 0..2 {
            let ended = self.sync(false).await?;
            if ended.ending != Ending::Complete {
                return Err(self.failed(format!("a sync in which nothing goes wrong ended as {:?}", ended.ending)));
            }
            tokio::time::advance(Duration::from_secs(self.dice.u64(1..100_000))).await;
        }
        let (wrong, figures) = {
            let world = self.server.world();
            let figures = Figures {
                syncs: u64::from(self.chain.syncs),
                requests: u64::from(world.requests()),
                records: self.chain.arrived.len() as u64,
            };
            let sees_enterprise = world.behavior.sees_enterprise;
            (verdict::of_chain(&self.chain, &world.organization, world.now_ms(), sees_enterprise), figures)
        };
        if wrong.is_empty() { Ok(figures) } else { Err(self.failed(wrong.join("\n"))) }
    }

    async fn sync(&mut self, cut: bool) -> Result<Ended, Failed> {
        let now_ms = {
            let mut world = self.server.world();
            world.organization.changes_left = world.behavior.whole_changes_a_sync();
            world.now_ms()
        };
        let (began_ms, first, syncs) = *self.refresh.get_or_insert((now_ms, self.chain.arrived.len(), 0));
        self.refresh = Some((began_ms, first, syncs + 1));
        let ended = self.chain.sync(&self.server, &mut self.dice, cut).await;
        self.was_trail_refused |= self.server.world().trouble.is_trail_refused;
        let number = self.chain.syncs;
        let _ = writeln!(self.story, "== sync {number} at {now_ms}: {:?}, cut: {cut}\n{}", ended.ending, ended.story);
        if let Some(log) = &mut self.server.world().log {
            self.story += &std::mem::take(log);
        }
        if ended.ending == Ending::Complete && !cut {
            self.refresh = None;
            let was_trail_refused = std::mem::take(&mut self.was_trail_refused);
            let wrong = {
                let world = self.server.world();
                let (span, sees_enterprise) =
                    ((began_ms, world.now_ms()), world.behavior.sees_enterprise && !was_trail_refused);
                verdict::of_full_refresh(&self.chain, &world.organization, first, span, (syncs == 0, sees_enterprise))
            };
            if !wrong.is_empty() {
                return Err(self.failed(wrong.join("\n")));
            }
        }
        Ok(ended)
    }

    async fn time_passes(&mut self) {
        let seconds = match self.dice.u8(..3) {
            0 => self.dice.u64(0..=10),
            1 => self.dice.u64(60..4_000),
            _ => self.dice.u64(4_000..300_000),
        };
        let events = self.dice.u32(0..6);
        self.server.world().organization.changes_left = u32::MAX;
        for _ in 0..events {
            tokio::time::advance(Duration::from_millis(seconds * 1000 / u64::from(events))).await;
            self.server.world().something_happens();
        }
    }

    /// Now and then, between two reads that came to their end.
    fn settings_change(&mut self) {
        if self.refresh.is_some() || self.dice.u8(..10) > 0 {
            return;
        }
        let now_s = self.server.world().now_ms() / 1000;
        self.chain.config.start_date = self.dice.bool().then(|| now_s - self.dice.i64(0..40_000));
        // In whatever order the organizations are named, they are the same.
        if let Some(other) = self.chain.config.org_ids.first_mut().filter(|_| self.dice.bool()) {
            std::mem::swap(other, &mut self.chain.config.org_id);
        }
        self.chain.config.concurrency = self.dice.usize(1..=6);
        self.chain.settled.clear();
        let _ = writeln!(self.story, "== the settings are now {:#?}", self.chain.config);
    }

    fn goes_wrong(&mut self) {
        let mut trouble = Trouble::default();
        let dice = &mut self.dice;
        let mut world = self.server.world();
        if dice.bool() {
            trouble.failing = [0, 5, 15, 40][dice.usize(..4)];
            trouble.key_lasts = (dice.u8(..6) == 0).then(|| dice.u32(0..20));
            if dice.bool() {
                for session in &world.organization.sessions {
                    if dice.u8(..5) == 0 {
                        let id = session.id.trim_start_matches("devin-").to_string();
                        let status = [403, 404, 404, 422, 500][dice.usize(..5)];
                        let refusal = Refusal { status, is_later: dice.u8(..3) == 0, is_once: dice.u8(..3) == 0 };
                        trouble.sessions.insert(id, refusal);
                    }
                }
            }
            trouble.is_trail_refused = dice.u8(..4) == 0;
            if dice.u8(..8) == 0 {
                let lists = ["sessions", "sessions/insights", "playbooks", "secrets", "knowledge/notes"];
                trouble.list = Some((lists[dice.usize(..5)].to_string(), [403, 404, 500][dice.usize(..3)]));
            }
        }
        let _ = writeln!(self.story, "== {trouble:?}");
        (world.events_left, world.trouble) = (dice.u32(0..80), trouble);
    }

    fn failed(&self, wrong: String) -> Failed {
        Failed { wrong, story: self.story.clone() }
    }
}
