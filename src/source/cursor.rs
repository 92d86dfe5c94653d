//! Which records of a stream are wanted: the start date, and the mark of an earlier read. Pure.
//!
//! The API documents neither the order of its lists nor the boundaries of its filters. So a bound is sent one second
//! early and compared inclusively here.

/// Which records of a stream are wanted. `None` is no bound; lower bounds are inclusive; a record without the field
/// is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// From this `created_at` on, by the user's start date.
    pub start_date: Option<i64>,
    /// Before this `created_at`, by the user's end date: the only bound that is exclusive.
    pub end_date: Option<i64>,
    /// From this cursor value on, by an earlier run's mark.
    pub since: Option<i64>,
}

impl Bounds {
    /// Whether a record with these timestamps is wanted.
    pub fn admit(&self, created_at: Option<i64>, cursor: Option<i64>) -> bool {
        let from = |bound: Option<i64>, value: Option<i64>| match (bound, value) {
            (Some(bound), Some(value)) => value >= bound,
            _ => true,
        };
        let is_early = self.end_date.zip(created_at).is_none_or(|(end, created_at)| created_at < end);
        is_early && from(self.start_date, created_at) && from(self.since, cursor)
    }

    /// The server's filters for a list of sessions: one second early, in case they are exclusive, and never later than
    /// `now`, which a strict API would refuse.
    pub fn filters(&self, now: i64) -> Vec<(&'static str, String)> {
        let early = |bound: i64| bound.min(now).saturating_sub(1).max(0).to_string();
        let created = self.start_date.map(|bound| ("created_after", early(bound)));
        let updated = self.since.map(|bound| ("updated_after", early(bound)));
        let until = self.end_date.map(|bound| ("created_before", bound.max(0).to_string()));
        created.into_iter().chain(until).chain(updated).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_inclusive_here_and_asked_one_second_early() {
        let bounds = Bounds { start_date: Some(100), since: Some(200), ..Bounds::default() };
        let filters = |bounds: Bounds| format!("{:?}", bounds.filters(1000));
        insta::assert_snapshot!(filters(bounds), @r#"[("created_after", "99"), ("updated_after", "199")]"#);
        assert!(bounds.admit(Some(100), Some(200)));
        assert!(!bounds.admit(Some(99), Some(200)));
        assert!(!bounds.admit(Some(100), Some(199)));
        assert!(bounds.admit(None, None), "a record without the fields is kept");
        insta::assert_snapshot!(filters(Bounds::default()), @"[]");
        insta::assert_snapshot!(filters(Bounds { start_date: Some(0), since: Some(5000), ..bounds }), @r#"[("created_after", "0"), ("updated_after", "999")]"#);
        let bounds = Bounds { end_date: Some(300), ..bounds };
        insta::assert_snapshot!(filters(bounds), @r#"[("created_after", "99"), ("created_before", "300"), ("updated_after", "199")]"#);
        assert!(bounds.admit(Some(299), Some(200)) && bounds.admit(None, None));
        assert!(!bounds.admit(Some(300), Some(200)), "the end is exclusive");
    }
}
