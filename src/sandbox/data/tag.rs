//! The tags of a session: those that people gave it, with the team of whoever did; those of the relay where an alert began it.

use std::borrow::Cow;

use super::session::{Creator, Session};
use super::words::TAGS;

/// How many of [`TAGS`], from the first, name a team.
const TEAMS: usize = 3;

/// The team of each user, as a place in [`TAGS`].
const TEAM_OF_USER: [usize; 8] = [0, 1, 2, 0, 1, 0, 1, 2];

/// That of service users.
const PLATFORM: usize = 2;

impl Session {
    /// The tags it carries.
    pub fn tags(&self) -> impl Iterator<Item = Cow<'static, str>> {
        let of_relay = self.alert.map(|alert| {
            // As the relay makes them: 26 digits of the alert, and of the attempt.
            [
                Cow::from("alert-relay"),
                format!("ar-{:026x}", alert >> 24).into(),
                format!("ar-a-{:026x}", alert << 24 >> 24).into(),
            ]
        });
        let count = if self.alert.is_some() { 0 } else { self.tag_count };
        let team = match self.creator {
            Creator::User(place) => TEAM_OF_USER[place],
            Creator::ServiceUser(_) => PLATFORM,
        };
        let own = self.tag_places.into_iter().take(count).map(move |place| if place < TEAMS { team } else { place });
        of_relay.into_iter().flatten().chain(own.map(|place| Cow::from(TAGS[place])))
    }
}
