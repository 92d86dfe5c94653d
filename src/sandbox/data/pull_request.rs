//! The pull requests of a session: its own, and one that it took over from an older session.

use std::fmt::Write;

use super::Organization;
use super::dice::{Dice, Topic};
use super::session::Session;

/// What becomes of a hundred pull requests: merged, closed, open, draft, not told.
type Fate = [u64; 5];

const STATES: [Option<&str>; 5] = [Some("merged"), Some("closed"), Some("open"), Some("draft"), None];

/// Of those whose session is still at it.
const UNSETTLED: Fate = [14, 6, 55, 25, 0];

/// Of those that were asked for without a playbook, once their session is over.
const SETTLED: Fate = [64, 15, 16, 3, 2];

/// Likewise, of each playbook: some fit their work better than others.
#[rustfmt::skip]
const SETTLED_BY_PLAYBOOK: [Fate; 9] = [
    [70, 12, 13, 3, 2],
    [88, 4, 5, 1, 2],
    [82, 6, 8, 2, 2],
    [40, 30, 24, 4, 2],
    [38, 28, 26, 6, 2],
    [90, 3, 4, 1, 2],
    [46, 24, 24, 4, 2],
    [76, 9, 11, 2, 2],
    [55, 20, 19, 4, 2],
];

/// How often in a hundred a session goes on with what an older one has left, if that has a pull request.
const TAKE_OVERS: u64 = 12;

/// How many sessions back that one lies at most.
const FARTHEST: u64 = 8;

/// A pull request that a session names.
pub struct PullRequest {
    pub url: String,
    /// `None` where it is not told.
    pub state: Option<&'static str>,
    pub is_taken_over: bool,
}

impl Session {
    /// The pull requests it names, its own first.
    pub fn named_pull_requests(&self, organization: &Organization) -> impl Iterator<Item = PullRequest> {
        let own = (0..self.pull_requests).map(|number| PullRequest {
            url: self.pull_request_url(organization, number),
            state: self.pull_request_state(organization, number),
            is_taken_over: false,
        });
        let taken = self.taken_over(organization).map(|older| PullRequest {
            url: older.pull_request_url(organization, 0),
            // It has been taken up again: whatever the older session says of it, this one knows better.
            state: Some(if self.has_ended() { "merged" } else { "open" }),
            is_taken_over: true,
        });
        own.chain(taken)
    }

    /// The address of one of its own pull requests, counted from 0.
    pub fn pull_request_url(&self, organization: &Organization, number: u64) -> String {
        let age = organization.sessions - self.index;
        let mut url = String::with_capacity(80);
        write!(url, "https://github.com/{}/pull/{}", self.repository, 100 + age * 3 + number)
            .expect("a String takes all that is written");
        url
    }

    /// The older session whose first pull request, which was closed or left open, this one goes on with.
    fn taken_over(&self, organization: &Organization) -> Option<Session> {
        let dice = &mut Dice::new(organization.seed, Topic::TakeOver, self.index);
        let older = self.index + 1 + dice.below(FARTHEST);
        if !dice.percent(TAKE_OVERS) || older >= organization.sessions || self.pull_requests == 0 {
            return None;
        }
        let older = organization.session(older);
        let is_left = older.pull_requests > 0
            && older.has_ended()
            && matches!(older.pull_request_state(organization, 0), Some("closed" | "open"));
        is_left.then_some(older)
    }

    fn pull_request_state(&self, organization: &Organization, number: u64) -> Option<&'static str> {
        let dice = &mut Dice::new(organization.seed, Topic::PullRequest, self.index * 4 + number);
        let is_settled = matches!(self.status, "exit" | "suspended");
        let weights = match self.playbook {
            _ if !is_settled => UNSETTLED,
            Some(playbook) => SETTLED_BY_PLAYBOOK[playbook as usize],
            None => SETTLED,
        };
        STATES[*dice.weighted(&[0, 1, 2, 3, 4], |place: &usize| weights[*place])]
    }
}

#[cfg(test)]
mod tests {
    use super::super::resource::PLAYBOOKS;
    use super::*;

    #[test]
    fn every_playbook_has_a_fate_and_each_is_of_a_hundred() {
        assert_eq!(SETTLED_BY_PLAYBOOK.len() as u64, PLAYBOOKS);
        assert!(SETTLED_BY_PLAYBOOK.iter().chain([&SETTLED, &UNSETTLED]).all(|fate| fate.iter().sum::<u64>() == 100));
    }

    #[test]
    fn a_session_goes_on_with_what_an_older_one_has_left_and_some_is_opened_again() {
        let organization = Organization::new(3, 2_000, None);
        let sessions: Vec<Session> = (0..2_000).map(|index| organization.session(index)).collect();
        let (mut taken, mut reopened) = (0, 0);
        for session in &sessions {
            for named in session.named_pull_requests(&organization).filter(|named| named.is_taken_over) {
                let older = sessions.iter().filter(|older| older.index > session.index);
                let known = older.flat_map(|older| older.named_pull_requests(&organization));
                let before: Vec<_> = known.filter(|known| known.url == named.url && !known.is_taken_over).collect();
                assert_eq!(before.len(), 1, "{}", named.url);
                taken += 1;
                reopened += u64::from(before[0].state == Some("closed"));
            }
        }
        assert!((10..200).contains(&taken) && reopened > 3, "{taken} taken over, {reopened} of them closed before");
    }
}
