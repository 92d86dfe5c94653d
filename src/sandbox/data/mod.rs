//! The organization itself: every fact is arithmetic over a seed and an index.
//!
//! Index 0 is the newest session. Identifiers are the index, scattered; so a session is found by its
//! identifier without a table.

pub mod calendar;
pub mod dice;
pub mod enterprise;
pub mod insight;
pub mod measure;
pub mod message;
pub mod pull_request;
pub mod resource;
pub mod session;
pub mod session_item;
pub mod setup;
pub mod tag;
pub mod words;

use dice::{mix, unmix};

use super::{ORG_ID, ORG_IDS};

/// What an organization is worked out from.
#[derive(Clone, Copy, Debug)]
pub struct Organization {
    pub id: &'static str,
    pub seed: u64,
    /// The seed of what all organizations of the enterprise have: that of the first one.
    seed_of_enterprise: u64,
    /// How many sessions there are.
    pub sessions: u64,
    /// How many messages every session has; `None` lets it vary.
    messages: Option<u64>,
}

/// A kind of thing with identifiers of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Family {
    Session,
    Playbook,
    Secret,
    Note,
    Folder,
    Automation,
    /// The sessions that clients create.
    Created,
}

impl Family {
    /// How its identifiers begin, in records.
    pub fn prefix(self) -> &'static str {
        match self {
            Family::Session | Family::Created => "",
            Family::Playbook => "playbook-",
            Family::Secret => "secret-",
            Family::Note => "note-",
            Family::Folder => "folder-",
            Family::Automation => "automation-",
        }
    }

    /// How many things of this kind there are besides sessions.
    fn count(self) -> u64 {
        match self {
            Family::Session | Family::Created => 0,
            Family::Playbook => resource::PLAYBOOKS,
            Family::Secret => resource::SECRETS,
            Family::Note => resource::NOTE_ROWS.len() as u64,
            Family::Folder => words::FOLDERS.len() as u64,
            Family::Automation => words::AUTOMATIONS,
        }
    }
}

impl Organization {
    pub fn new(seed: u64, sessions: usize, messages: Option<usize>) -> Organization {
        Organization {
            id: ORG_ID,
            seed,
            seed_of_enterprise: seed,
            sessions: sessions as u64,
            messages: messages.map(|count| count as u64),
        }
    }

    /// The enterprise's organization of this number, of which this is number 0.
    pub fn further(&self, number: usize) -> Organization {
        let seed = mix(self.seed ^ (number as u64).rotate_left(40));
        Organization { id: ORG_IDS[number], seed, sessions: self.sessions / 3, ..*self }
    }

    /// Its number among those of the enterprise.
    pub fn number(&self) -> usize {
        ORG_IDS.iter().position(|id| *id == self.id).unwrap_or_default()
    }

    /// A number that is its own; 0 for the first one.
    fn salt(&self) -> u64 {
        self.seed ^ self.seed_of_enterprise
    }

    /// The identifier of one thing of a family, without its prefix.
    pub fn id(&self, family: Family, place: u64) -> u128 {
        let is_of_enterprise = resource::is_inherited(family, place);
        let key = if is_of_enterprise { key(self.seed_of_enterprise, family) } else { self.key(family) };
        let low = mix(place.wrapping_add(key));
        u128::from(mix(low ^ key.rotate_left(17))) << 64 | u128::from(low)
    }

    /// The index of the session with this identifier, bare or with one leading `devin-`.
    pub fn index_of(&self, session_id: &str) -> Option<u64> {
        let bare = session_id.strip_prefix("devin-").unwrap_or(session_id);
        let id = parse_hex(bare)?;
        let index = unmix(id as u64).wrapping_sub(self.key(Family::Session));
        (index < self.sessions && self.id(Family::Session, index) == id).then_some(index)
    }

    /// The place of the thing with this identifier in a family other than sessions.
    pub fn place_of(&self, family: Family, id: &str) -> Option<u64> {
        let id = parse_hex(id.strip_prefix(family.prefix())?)?;
        (0..family.count()).find(|place| self.id(family, *place) == id)
    }

    fn key(&self, family: Family) -> u64 {
        key(self.seed, family)
    }
}

fn key(seed: u64, family: Family) -> u64 {
    mix(seed ^ (family as u64 + 1).rotate_right(4))
}

/// Exactly 32 lower-case hex digits; `u128::from_str_radix` alone would take a sign.
fn parse_hex(text: &str) -> Option<u128> {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 32 || !text.bytes().all(is_hex) {
        return None;
    }
    u128::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_found_by_its_identifier_and_a_stranger_is_not() {
        let organization = Organization::new(7, 1_000, None);
        for index in 0..1_000 {
            let bare = format!("{:032x}", organization.id(Family::Session, index));
            assert_eq!(organization.index_of(&bare), Some(index));
            assert_eq!(organization.index_of(&format!("devin-{bare}")), Some(index));
            assert_eq!(organization.index_of(&format!("devin-devin-{bare}")), None);
            assert_eq!(Organization::new(8, 1_000, None).index_of(&bare), None);
        }
        let beyond = format!("{:032x}", organization.id(Family::Session, 1_000));
        assert_eq!(organization.index_of(&beyond), None);
        assert_eq!(organization.index_of("+0000000000000000000000000000001"), None);
    }
}
