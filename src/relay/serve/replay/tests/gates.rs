//! The examples of the gates in `docs/rules.md`: each is played by the store, with a clock of its own, and comes to what the
//! page says, row by row. A gate without an example is a failure.

use super::super::devin::{Answer, answer};
use super::super::player::NEVER;
use super::*;
use crate::relay::serve::gates::Gate;
use crate::relay::serve::rules::Rules;

/// The morning of a day, in Unix milliseconds.
const MIDNIGHT: i64 = 1_799_971_200_000;

/// What stands before an answer.
const ANSWER: &str = "  -> ";

/// An example: the rules, and what happens.
struct Example<'a> {
    gate: &'a str,
    yaml: &'a str,
    course: &'a str,
}

/// The sections of the page, in their order.
fn examples(page: &str) -> Vec<Example<'_>> {
    let (_, section) = page.split_once("\n## Gates\n").expect("the page has a section about gates");
    let section = section.split("\n## ").next().unwrap();
    let example = |part| {
        let gate = str::lines(part).next().unwrap().trim_matches('`');
        let inside = |fence| {
            let (_, rest) = str::split_once(part, fence).unwrap_or_else(|| panic!("{gate} has no example"));
            str::split(rest, "```").next().unwrap()
        };
        Example { gate, yaml: inside("```yaml\n"), course: inside("\n```text\n") }
    };
    section.split("\n### ").skip(1).map(example).collect()
}

/// A bridge to which happens what an example says.
struct World {
    yaml: String,
    rules: Rules,
    ledger: Ledger,
    drawn: std::cell::Cell<u32>,
    /// How the sessions come to their ends, by their jobs.
    ends: HashMap<String, OutcomeKind>,
    /// The rows that were told of.
    known: Vec<String>,
    told: Vec<String>,
}

impl World {
    async fn new(yaml: &str) -> World {
        let beside =
            "routes: [{name: generic, kind: generic, auth: none}]\nintegrations: [{name: main, api_key: {env: KEY}}]\n";
        let yaml = format!("{beside}{yaml}");
        World {
            rules: rules(&yaml),
            yaml,
            ledger: Ledger::new().await.unwrap(),
            drawn: std::cell::Cell::new(0),
            ends: HashMap::new(),
            known: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Plays a line without its answers.
    async fn play(&mut self, line: &str) {
        let (time, event) = line.split_once("  ").unwrap();
        let moment = self::moment(time);
        self.advance(moment).await;
        self.told.push(line.to_string());
        let words: Vec<&str> = event.split(' ').collect();
        match words[..] {
            [name, "fires"] => self.deliver(name, "firing", "high").await,
            [name, "fires,", "severity", severity] => self.deliver(name, "firing", severity).await,
            [name, "resolves"] => self.deliver(name, "resolved", "high").await,
            ["kill", "switch", on] => self.ledger.throw(&Switch::Bridge, on == "on").await.unwrap(),
            ["rule", id, "paused"] => self.ledger.throw(&Switch::Rule(id.to_string()), true).await.unwrap(),
            ["rule", id, "resumed"] => self.ledger.throw(&Switch::Rule(id.to_string()), false).await.unwrap(),
            ["rule", id, "disabled"] => {
                let id = format!("- id: {id}\n");
                self.yaml = self.yaml.replace(&id, &format!("{id}    enabled: false\n"));
                self.rules = rules(&self.yaml);
            }
            [name, "suppressed", "until", time] => {
                let key = self.alert(name).await.1;
                self.ledger.suppress(&key, self::moment(time), "ann").await.unwrap();
            }
            ["session", "of", name, "ends"] => self.end(name, OutcomeKind::NoPr).await,
            ["session", "of", name, "out", "of", "quota"] => self.end(name, OutcomeKind::QuotaExceeded).await,
            _ => panic!("nobody knows how to play {line:?}"),
        }
        self.advance(moment).await;
    }

    async fn deliver(&mut self, name: &str, status: &str, severity: &str) {
        let text = format!("{name} {}", self.drawn.get());
        let body = serde_json::json!({"title": text, "status": status, "dedup_key": name, "severity": severity});
        let draw = || {
            self.drawn.set(self.drawn.get() + 1);
            format!("{:08x}", self.drawn.get())
        };
        let body = body.to_string().into_bytes();
        let read = read(&self.rules, &self.rules.routes[0], body, &[], &Redactor::default(), &draw);
        let Ok(read) = read else { panic!("it is an alert") };
        self.ledger.accept(&read.delivery).await.unwrap();
    }

    /// The tag of an alert, and its key.
    async fn alert(&mut self, name: &str) -> (String, String) {
        let jobs = self.ledger.archive().jobs(None).await.unwrap();
        let job = jobs.iter().rfind(|job| job.dedupe_key.ends_with(name)).expect("it has fired");
        (job.id.clone(), job.dedupe_key.clone())
    }

    async fn end(&mut self, name: &str, kind: OutcomeKind) {
        let job = self.alert(name).await.0;
        self.ends.insert(job.clone(), kind);
        self.ledger.put_off(&job, self.ledger.now).await.unwrap();
    }

    /// Does all that is due until then, and tells of the answers.
    async fn advance(&mut self, until: i64) {
        while let Some(due) = self.ledger.next_due().await.unwrap().filter(|due| *due <= until) {
            self.ledger.now = due.max(self.ledger.now);
            for claimed in self.ledger.claim("main").await.unwrap() {
                self.work(claimed).await;
            }
            self.tell().await;
        }
        self.ledger.now = until;
        self.tell().await;
    }

    async fn tell(&mut self) {
        for row in self.ledger.archive().decisions(None).await.unwrap() {
            if !self.known.contains(&row.id) {
                let name = row.dedupe_key.rsplit(':').next().unwrap();
                let gate = row.gate.map(|gate| format!(" ({gate})")).unwrap_or_default();
                let until = row.until.map(|until| format!(" until {}", clock(until))).unwrap_or_default();
                let reason = row.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                self.told.push(format!("{}{ANSWER}{} {name}{until}{gate}{reason}", clock(row.at), row.decision));
                self.known.push(row.id);
            }
        }
    }

    async fn work(&mut self, claimed: Claimed) {
        let now = self.ledger.now;
        if let Some(kind) = self.ends.remove(&claimed.job.id) {
            let own = claimed.progress.clone();
            let Progress { status, result, .. } = Ending::by(kind, "").progress;
            let progress = Progress { status, result, acus_consumed: Some(0.0), ..own };
            return self.save(claimed, Phase::Settled(End::Outcome(kind)), progress).await;
        }
        if claimed.progress.session_id.is_some() {
            let Claimed { job, progress, .. } = claimed.clone();
            return self.save(claimed, job.phase, progress).await;
        }
        let mut admission = self.admit(&claimed, false).await;
        if matches!(admission, Admission::Start { .. }) {
            let origin = self.ledger.origin(&claimed.job.id).await.unwrap();
            let earlier = self.ledger.archive().jobs(Some(&origin.alert)).await.unwrap();
            match answer(None, &[], &earlier, &claimed.job, now) {
                Answer::Creates(_) => admission = self.admit(&claimed, true).await,
                Answer::Ends(Ending { kind, progress }) | Answer::Adopts(_, Ending { kind, progress }) => {
                    let end = kind.map_or(End::Failed { session_id: None }, End::Outcome);
                    return self.save(claimed, Phase::Settled(end), progress).await;
                }
            }
        }
        match admission {
            Admission::Start { .. } => {
                let (job, _) = driven(claimed.job.clone(), Observation::Started, &[], now);
                let mut ending = Ending::by(OutcomeKind::NoPr, "");
                ending.progress.session_id = Some(format!("session-{}", job.id));
                let (job, _) = driven(job, Observation::Created(stand_in(&ending, &claimed.job, now)), &[], now);
                let progress = Progress { status: None, result: None, ..ending.progress };
                let phase = job.phase.clone();
                self.save(Claimed { job, ..claimed }, phase, progress).await;
            }
            Admission::Hold { .. } => {}
            admission => {
                if let Some(Ending { kind: Some(kind), progress }) = turned_away(admission) {
                    self.save(claimed, Phase::Settled(End::Outcome(kind)), progress).await;
                }
            }
        }
    }

    async fn admit(&mut self, claimed: &Claimed, is_at_create: bool) -> Admission {
        let ask = Ask {
            job_id: claimed.job.id.clone(),
            epoch: claimed.epoch,
            bounds: Arc::new(self.rules.bounds.clone()),
            kill_switch: None,
            holds: claimed.job.policy.holds,
            max_acu_limit: claimed.job.request.new.max_acu_limit,
            is_at_create,
            is_by_hand: claimed.job.is_by_hand(),
        };
        self.ledger.admit(&ask).await.unwrap()
    }

    /// A session that works is due when it ends.
    async fn save(&mut self, claimed: Claimed, phase: Phase, progress: Progress) {
        let due_in = (!matches!(phase, Phase::Settled(_))).then_some(NEVER / 4);
        let news_until = claimed.news.last().map_or(0, |(seq, _)| *seq);
        let (epoch, owner) = (claimed.epoch, OWNER.to_string());
        let mut job = claimed.job;
        job.phase = phase;
        self.ledger.save(&Save { job, epoch, owner, progress, events: Vec::new(), news_until, due_in }).await.unwrap();
    }
}

/// A moment of the day.
fn moment(time: &str) -> i64 {
    let parts: Vec<i64> =
        time.split(':').map(|part| part.parse().unwrap_or_else(|_| panic!("{time:?} is no time"))).collect();
    let [hours, minutes, seconds] = parts[..] else { panic!("{time:?} is no time") };
    MIDNIGHT + (hours * 3600 + minutes * 60 + seconds) * SECOND
}

fn clock(moment: i64) -> String {
    let seconds = (moment - MIDNIGHT) / SECOND;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[tokio::test]
async fn every_gate_has_an_example_that_comes_to_what_the_page_says() {
    let examples = examples(include_str!("../../../../../docs/rules.md"));
    let gates: Vec<&str> = examples.iter().map(|example| example.gate).collect();
    assert_eq!(
        gates,
        Gate::names().collect::<Vec<_>>(),
        "each gate has a section, in the order in which they are asked"
    );
    let mut wrong = Vec::new();
    for Example { gate, yaml, course } in examples {
        let mut world = World::new(yaml).await;
        for line in course.lines().filter(|line| !line.contains(ANSWER)) {
            world.play(line).await;
        }
        // What is answered later needs nothing to happen.
        let last = course.lines().filter_map(|line| line.split("  ").next()).map(moment).max();
        world.advance(last.unwrap()).await;
        let told = world.told.join("\n");
        let is_told = told.contains(&format!(" ({gate}): "));
        if !is_told || told != course.trim_end() {
            wrong.push(format!("{gate}:\n{told}"));
        }
    }
    assert!(wrong.is_empty(), "the page says something else about\n{}", wrong.join("\n\n"));
}
