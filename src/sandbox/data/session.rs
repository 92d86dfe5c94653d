//! One session: its facts, worked out from its index.

use std::fmt::Write;
use std::ops::Range;

use super::calendar::{CYCLE_BEGAN, END};
use super::dice::{Dice, Topic};
use super::words::{
    AUTOMATIONS, CATEGORIES, Category, DEVIN_MODES, REPOSITORIES, SERVICE_ORIGINS, SERVICE_USERS, TAGS, TITLE_TAILS,
    USER_ORIGINS, USERS,
};
use super::{Family, Organization};

/// What is known of a session before it is written.
#[derive(Clone, Copy)]
pub struct Session {
    pub index: u64,
    pub created_at: i64,
    pub updated_at: i64,
    pub status: &'static str,
    pub status_detail: Option<&'static str>,
    /// What it is about, also where `category` is not told yet.
    pub work: &'static Category,
    pub task: &'static str,
    pub category: Option<&'static str>,
    pub subcategory: Option<&'static str>,
    pub repository: &'static str,
    pub creator: Creator,
    pub origin: &'static str,
    pub playbook: Option<u64>,
    pub automation: Option<u64>,
    pub parent: Option<u64>,
    /// The alert that the relay began it for, scattered.
    pub alert: Option<u128>,
    /// Places of its tags, of which so many count.
    pub tag_places: [usize; 3],
    pub tag_count: usize,
    /// How many pull requests of its own it has.
    pub pull_requests: u64,
    pub acu_hundredths: u64,
    pub messages: u64,
    pub is_archived: bool,
    pub devin_mode: Option<&'static str>,
}

/// Who started a session, as a place in the table of users or service users.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Creator {
    User(usize),
    ServiceUser(usize),
}

/// How a session stands, and how often in a thousand.
struct State(u64, &'static str, Option<&'static str>);

#[rustfmt::skip]
const RECENT_STATES: [State; 8] = [
    State(400, "running", Some("working")),
    State(220, "running", Some("waiting_for_user")),
    State(180, "running", Some("finished")),
    State(60, "running", Some("waiting_for_approval")),
    State(50, "new", None),
    State(40, "claimed", None),
    State(30, "resuming", None),
    State(20, "exit", None),
];

#[rustfmt::skip]
const OLDER_STATES: [State; 17] = [
    State(370, "exit", None),
    State(310, "suspended", Some("inactivity")),
    State(90, "running", Some("finished")),
    State(50, "suspended", Some("user_request")),
    State(50, "running", Some("waiting_for_user")),
    State(37, "error", None),
    State(20, "suspended", Some("usage_limit_exceeded")),
    State(15, "suspended", Some("error")),
    State(10, "suspended", Some("out_of_credits")),
    State(10, "suspended", Some("org_usage_limit_exceeded")),
    State(8, "suspended", Some("user_usage_limit_exceeded")),
    State(8, "suspended", Some("out_of_quota")),
    State(6, "running", Some("waiting_for_approval")),
    State(5, "suspended", Some("total_session_limit_exceeded")),
    State(4, "suspended", Some("no_quota_allocation")),
    State(4, "suspended", Some("payment_declined")),
    State(3, "suspended", Some("contract_expired")),
];

const OUT_OF_QUOTA: State = State(0, "suspended", Some("out_of_quota"));

/// The last two days of the billing cycle before the present one.
const QUOTA_IS_EMPTY: Range<i64> = CYCLE_BEGAN - 2 * 86_400..CYCLE_BEGAN;

/// The service user that the relay starts sessions as.
const ALERT_BRIDGE: Creator = Creator::ServiceUser(0);

const FEWEST_MESSAGES: u64 = 2;
const MOST_MESSAGES: u64 = 30;
/// The messages of the one long session, more than fit on the greatest page.
const LONG_SESSION: u64 = 230;

impl Organization {
    /// The facts of the session at this index, which must be below the count.
    pub fn session(&self, index: u64) -> Session {
        let dice = &mut Dice::new(self.seed, Topic::Session, index);
        let work = dice.weighted(&CATEGORIES, |category| category.weight);
        let state = match index {
            // So that even a small organization has one at work and one that waits.
            0 => &RECENT_STATES[0],
            1 => &RECENT_STATES[1],
            _ if index < self.sessions / 20 + 4 => dice.weighted(&RECENT_STATES, |state| state.0),
            _ => dice.weighted(&OLDER_STATES, |state| state.0),
        };
        let created_at = self.created_at(index);
        let state = if self.meets_empty_quota(index, created_at, state) { &OUT_OF_QUOTA } else { state };
        let &State(_, status, status_detail) = state;
        let is_waiting_to_start = matches!(status, "new" | "claimed");
        // The product of two throws leans to the small side, as the size of work does.
        let effort = dice.below(1_000) * dice.below(1_000) / 1_000;
        let acu_hundredths = if is_waiting_to_start { 0 } else { 12 + effort * work.acus / 10 };
        let creator = if dice.percent(24) {
            let user = dice.weighted(&[0, 1], |place| SERVICE_USERS[*place].weight);
            Creator::ServiceUser(*user)
        } else {
            let user = dice.weighted(&[0, 1, 2, 3, 4, 5, 6, 7], |place| USERS[*place].weight);
            Creator::User(*user)
        };
        let origin = match creator {
            Creator::User(_) => dice.weighted(&USER_ORIGINS, |origin| origin.1).0,
            Creator::ServiceUser(_) => dice.weighted(&SERVICE_ORIGINS, |origin| origin.1).0,
        };
        let is_sorted = !is_waiting_to_start && !dice.percent(6);
        let subcategory = dice.pick(&[work.subcategories[0], work.subcategories[1], "Other"]);
        let lifetime = lifetime(dice, status_detail, acu_hundredths);
        let updated_at = match status_detail {
            // Whoever is at work has just done something, however long ago it began.
            Some("working") => END - 1 - dice.below(900) as i64,
            _ => (created_at + lifetime).min(END - 1),
        };
        let first_tag = dice.below(TAGS.len() as u64) as usize;
        Session {
            index,
            created_at,
            updated_at,
            status,
            status_detail,
            work,
            task: dice.pick(&work.tasks),
            category: is_sorted.then_some(work.name),
            subcategory: is_sorted.then_some(subcategory),
            repository: dice.pick(&REPOSITORIES),
            creator,
            origin,
            playbook: match work.playbook {
                Some(playbook) if dice.percent(62) => Some(playbook),
                _ => dice.percent(3).then_some(8),
            },
            automation: (origin == "automation").then(|| dice.below(AUTOMATIONS)),
            parent: self.parent_of(index).map(|(parent, _)| parent),
            // An alert may come again: then it has several sessions.
            alert: (creator == ALERT_BRIDGE && origin == "api").then(|| self.id(Family::Session, index / 2)),
            tag_places: [first_tag, (first_tag + 3) % 10, (first_tag + 7) % 10],
            tag_count: dice.pick(&[0, 0, 1, 1, 1, 2, 3]),
            pull_requests: pull_requests(dice, state, work),
            acu_hundredths,
            messages: self.message_count(index, effort, dice),
            is_archived: status != "running" && !is_waiting_to_start && dice.percent(12),
            devin_mode: dice.weighted(&DEVIN_MODES, |mode| mode.1).0,
        }
    }

    /// Whether a session stopped because nothing was left of the cycle's quota: most of those of the two days before a cycle
    /// ended, of the ones that had begun to work and were not at it any more.
    fn meets_empty_quota(&self, index: u64, created_at: i64, &State(_, status, _): &State) -> bool {
        QUOTA_IS_EMPTY.contains(&created_at)
            && matches!(status, "exit" | "suspended")
            && Dice::new(self.seed, Topic::Quota, index).percent(65)
    }

    fn message_count(&self, index: u64, effort: u64, dice: &mut Dice) -> u64 {
        if let Some(messages) = self.messages {
            return messages;
        }
        let long = Dice::new(self.seed, Topic::Big, 0).below(self.sessions);
        if index == long {
            return LONG_SESSION;
        }
        let count = FEWEST_MESSAGES + dice.below(7) + effort / 40;
        count.min(MOST_MESSAGES)
    }
}

/// How many seconds lie between a session's creation and its last change.
fn lifetime(dice: &mut Dice, status_detail: Option<&str>, acu_hundredths: u64) -> i64 {
    let at_work = 120 + acu_hundredths * 9 + dice.below(1_500);
    let idle = match status_detail {
        Some("inactivity" | "finished") => 1_800 + dice.below(40_000),
        Some("user_request") => dice.below(7_200),
        _ => dice.below(300),
    };
    (at_work + idle) as i64
}

fn pull_requests(dice: &mut Dice, state: &State, work: &Category) -> u64 {
    let chance = match state {
        State(_, "exit", _) | State(_, _, Some("inactivity" | "finished" | "user_request")) => {
            work.pull_request_percent
        }
        State(_, "new" | "claimed", _) => 0,
        State(_, _, Some("waiting_for_user" | "working")) => work.pull_request_percent / 2,
        _ => work.pull_request_percent / 6,
    };
    if dice.percent(chance) { dice.pick(&[1, 1, 1, 1, 1, 1, 1, 2, 2, 3]) } else { 0 }
}

impl Session {
    /// Whether its work is over, well or badly.
    pub fn has_ended(&self) -> bool {
        matches!(self.status, "exit" | "error" | "suspended") || self.status_detail == Some("finished")
    }

    /// `None` while Devin has not named it, and for the few that it never names.
    pub fn title(&self, organization: &Organization) -> Option<String> {
        let dice = &mut Dice::new(organization.seed, Topic::Title, self.index);
        if matches!(self.status, "new" | "claimed") || dice.percent(3) {
            return None;
        }
        let mut title = String::with_capacity(96);
        if dice.percent(15) {
            write!(title, "PAY-{}: ", 100 + dice.below(900)).expect("a String takes all that is written");
        }
        title.push_str(self.task);
        if dice.percent(40) {
            title.push_str(" in ");
            title.push_str(self.repository);
        }
        if dice.percent(14) {
            title.push_str(dice.pick(&TITLE_TAILS));
        }
        Some(title)
    }
}
