//! Configuration, catalog and state become steps. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::cursor::Bounds;
use super::organizations::{Organization, States, kept, of_enterprise, of_organization, organizations};
use super::selection::Selection;
use super::state::{Scope, StreamState};
use super::step::Step;
use super::streams::{FIRST_DAYS, Listing, STREAMS, Stream, endpoints, find, names};
use super::windows::midnight;
use crate::airbyte::{ConfiguredCatalog, InputState, StreamDescriptor, SyncMode};
use crate::config::{Config, similar};

/// A stream's name is repeated in a message up to this length, in characters.
const LONGEST_NAME: usize = 40;

/// Everything a read has to do.
#[derive(Debug, Default)]
pub struct Plan {
    pub steps: Vec<Step>,
    /// Wanted streams that cannot be read, and why.
    pub refused: Vec<(StreamDescriptor, String)>,
    /// Sentences for a WARN.
    pub warnings: Vec<String>,
    /// Whether a stream is left out whose first request is refused, or whose path is unknown: where nobody has named it.
    pub leaves_out: bool,
    /// The states of organizations that are not read this time, by stream.
    pub kept: BTreeMap<StreamDescriptor, States>,
    /// Sentences for an INFO: what is done with a state, where that may surprise.
    pub notes: Vec<String>,
}

/// Plans a read of a configured catalog; `now` is this machine's clock, in Unix seconds.
///
/// A state that is given is honoured in full refresh too: a platform hands it back when it tries an interrupted job
/// again, and clears it before it starts a new one. A list without a cursor field has no state to go on from, and is read completely.
pub fn plan(config: &Config, catalog: &ConfiguredCatalog, state: &InputState, now: i64) -> Plan {
    let mut plan = Plan { warnings: state.ignored.clone(), ..Plan::default() };
    let mut planned = BTreeSet::new();
    for configured in &catalog.streams {
        let name = configured.stream.name.as_str();
        if !planned.insert(&configured.stream) {
            continue;
        }
        match (find(name), &configured.sync_mode) {
            (None, _) => plan.refused.push((configured.stream.clone(), no_such_stream(name))),
            (Some(_), SyncMode::Unknown(_)) => plan.refused.push((
                configured.stream.clone(),
                format!("stream {name}: the catalog asks for a sync mode that does not exist; full_refresh and incremental do"),
            )),
            (Some(stream), mode) => {
                let is_full_refresh = *mode == SyncMode::FullRefresh || stream.cursor.is_none();
                let mut goes_on = false;
                for step in plan.add(stream, configured.stream.clone(), config, state, now) {
                    step.is_full_refresh = is_full_refresh;
                    step.needs_key = configured.needs_key();
                    goes_on |= step.is_full_refresh && step.state.cursor().is_some();
                }
                if goes_on {
                    plan.notes.push(format!(
                        "stream {name}: full refresh goes on from the state that was given, as after an interruption; without a state it reads everything"
                    ));
                }
            }
        }
    }
    plan
}

/// Plans a read of some streams, as a person names them; `state` is `None` where nobody asks for one.
pub fn plan_streams(config: &Config, streams: &[&'static Stream], state: Option<&InputState>, now: i64) -> Plan {
    let nothing = InputState::default();
    let mut plan = Plan { warnings: state.map(|state| state.ignored.clone()).unwrap_or_default(), ..Plan::default() };
    for stream in streams {
        let descriptor = StreamDescriptor::of(stream.name);
        for step in plan.add(stream, descriptor, config, state.unwrap_or(&nothing), now) {
            step.is_full_refresh = state.is_none();
        }
    }
    plan
}

/// The streams that a list of names picks, separated by commas, in the table's order, each once; `all` is every one.
///
/// # Errors
/// A sentence that names the word which is no stream.
pub fn pick(list: &str) -> Result<Vec<&'static Stream>, String> {
    let words: Vec<&str> = list.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return Err(format!("no stream is named: give all, or some of {}", names()));
    }
    if let Some(unknown) = words.iter().find(|word| **word != "all" && find(word).is_none()) {
        return Err(no_such_stream(unknown));
    }
    Ok(STREAMS.iter().filter(|stream| words.contains(&stream.name) || words.contains(&"all")).collect())
}

/// The streams that are read where nobody says which: what every plan has.
pub fn usual() -> Vec<&'static Stream> {
    STREAMS.iter().filter(|stream| stream.is_usual).collect()
}

impl Plan {
    /// Adds the steps of a stream, one for each organization.
    fn add(
        &mut self,
        stream: &'static Stream,
        descriptor: StreamDescriptor,
        config: &Config,
        state: &InputState,
        now: i64,
    ) -> &mut [Step] {
        let first = self.steps.len();
        let given = state.of(&descriptor);
        let mut read = organizations(&config.org_id, &config.org_ids);
        let of_enterprise = state_of_enterprise(stream, given, &read);
        let mut others = Vec::new();
        if stream.is_read_once() {
            others = read.drain(1..).map(|organization| organization.id).collect();
        }
        let kept = kept(given, &read);
        if !kept.is_empty() {
            self.kept.insert(descriptor.clone(), kept);
        }
        if let Some(other) = state.other_namespace(&descriptor).filter(|_| given.is_none()) {
            let own =
                descriptor.namespace.as_deref().map_or("no namespace".to_string(), |own| format!("namespace {own:?}"));
            self.warnings.push(format!(
                "stream {}: the state is one of namespace {other:?}, and the catalog names {own}, so the stream is read from the beginning",
                stream.name
            ));
        }
        for organization in read {
            let of_all = of_enterprise.as_ref().filter(|_| !organization.is_further);
            let own = if stream.is_read_once() { given } else { of_organization(given, &organization) };
            // Where the enterprise's list has been read, a further organization's own has not, which is nothing to tell.
            let has_mark = |own: &&Value| stream.cursor.is_some_and(|cursor| !own[cursor.field].is_null());
            let own = own.filter(|own| of_enterprise.is_none() || has_mark(own));
            let scope = Scope { org_id: organization.id.clone(), org_ids: others.clone(), ..Scope::default() };
            self.add_one(stream, (&descriptor, organization, scope), config, of_all.or(own), now);
        }
        &mut self.steps[first..]
    }

    /// Adds the step of one organization, whose state is `given`; `scope` says whose it is.
    fn add_one(
        &mut self,
        stream: &'static Stream,
        (descriptor, organization, scope): (&StreamDescriptor, Organization, Scope),
        config: &Config,
        given: Option<&Value>,
        now: i64,
    ) {
        let name = match organization.is_one_of_many && !stream.is_read_once() {
            true => format!("{} of {}", stream.name, organization.id),
            false => stream.name.to_string(),
        };
        let start_date = match stream.listing {
            // What has not been asked for is not there, so the state says from when on it has been.
            Listing::Windows(_) => config.start_date.or_else(|| Some(first_day(given, now))),
            _ => config.start_date.filter(|_| stream.heeds_dates()),
        };
        let end_date = config.end_date.filter(|_| stream.heeds_dates());
        let selection = stream.heeds_selection().then(|| Selection::of(config).told()).flatten();
        let scope = Scope { start_date, end_date, selection, ..scope };
        let cursor_field = stream.cursor.map(|cursor| cursor.field);
        let read = cursor_field.map(|field| StreamState::read(field, &scope, given));
        let mut state = match read.unwrap_or_else(|| Ok(StreamState::new(scope.clone()))) {
            Ok(state) => state,
            Err(warning) => {
                self.warnings.push(format!("stream {name}: {warning}"));
                StreamState::new(scope)
            }
        };
        let is_at_start = state.cursor().is_none();
        if let Some(field) = cursor_field.filter(|field| is_at_start && given.is_some_and(lacks(field))) {
            self.notes
                .push(format!("stream {name}: the state holds no {field}, so the stream is read from the beginning"));
        }
        let least = if stream.listing == Listing::PerSession { LEAST_OF_MESSAGES_S } else { 0 };
        let since = state.cursor();
        let mut step = Step {
            stream,
            organization,
            descriptor: descriptor.clone(),
            is_full_refresh: false,
            needs_key: false,
            reports_deletions: config.report_deletions && stream.can_report_deletions(),
            bounds: Bounds { start_date, end_date, since: None },
            lookback: stream.again_s().unwrap_or_else(|| config.lookback_window.max(least)),
            now,
            state: StreamState::default(),
        };
        let is_ahead = |mark: Option<i64>| mark.is_some_and(|mark| mark > now.saturating_add(A_DAY_S));
        if is_ahead(since) || is_ahead(state.sessions_updated_at) {
            self.warnings.push(format!(
                "stream {name}: the state lies in the future, so hardly anything can be newer; the state that this read leaves says now. Read once without a state to be sure that nothing is missing"
            ));
            // What is emitted is bounded by the state as it is; only what is said afterwards is not.
            let field = cursor_field.expect("a state without a cursor field has no mark");
            state.set_cursor(field, since.map(|since| since.min(now)));
            state.sessions_updated_at = state.sessions_updated_at.map(|mark| mark.min(now));
        }
        step.state = state;
        step.bounds.since = since.map(|since| step.before(since));
        self.steps.push(step);
    }
}

/// The look-back of messages is at least this long: a message may be stamped a second before its session.
const LEAST_OF_MESSAGES_S: i64 = 2;

/// A clock may differ from another by so much.
const A_DAY_S: i64 = 86_400;

/// The first day that is asked for without a start date: some days ago, or where an earlier read began if that was before. One that
/// began later had a start date.
fn first_day(given: Option<&Value>, now: i64) -> i64 {
    let before = given.and_then(|state| state["scope"]["start_date"].as_i64());
    midnight(now - (FIRST_DAYS - 1) * A_DAY_S).min(before.unwrap_or(i64::MAX))
}

/// The state of the list that the enterprise has for all organizations; `None` where it has none, or nothing is known of it.
fn state_of_enterprise(stream: &Stream, given: Option<&Value>, read: &[Organization]) -> Option<Value> {
    let path = &endpoints(stream)[stream.path_of_enterprise()?];
    let is_of_list = |state: &Value| stream.is_read_once() || state["scope"]["path"] == path.as_str();
    of_enterprise(given, read, stream.cursor?.field, is_of_list)
}

/// Whether a state holds something, but not this field.
fn lacks(cursor_field: &'static str) -> impl Fn(&Value) -> bool {
    move |state| {
        let fields = state.as_object();
        fields.is_some_and(|fields| !fields.is_empty() && fields.get(cursor_field).is_none_or(Value::is_null))
    }
}

fn no_such_stream(name: &str) -> String {
    let length = name.chars().count();
    // A word as long as that is no name, but a key perhaps.
    let name = if length > LONGEST_NAME {
        format!("with a name of {length} characters")
    } else {
        name.chars().filter(|c| !c.is_control()).collect()
    };
    let all: Vec<&str> = STREAMS.iter().map(|stream| stream.name).collect();
    let meant = similar(&name, &all).map(|known| format!("did you mean {known:?}? ")).unwrap_or_default();
    format!("stream {name:?} does not exist: {meant}this connector has {}", names())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config { start_date: Some(100), ..Config::of_sandbox("cog_x", "org-1", "http://127.0.0.1") }
    }

    fn tell(plan: &Plan) -> String {
        let mut lines: Vec<String> =
            plan.steps.iter().map(|step| format!("read {} {:?}", step.stream.name, step.bounds)).collect();
        lines.extend(plan.refused.iter().map(|(_, reason)| format!("refuse: {reason}")));
        lines.extend(plan.warnings.iter().map(|warning| format!("warn: {warning}")));
        lines.extend(plan.notes.iter().map(|note| format!("info: {note}")));
        lines.join("\n")
    }

    fn check(streams: &str, state: &str) -> String {
        let catalog = ConfiguredCatalog::parse(&format!(r#"{{"streams":[{streams}]}}"#)).unwrap();
        without_names(&tell(&plan(&config(), &catalog, &InputState::parse(state).unwrap(), 1_800_000_000)))
    }

    /// A text with a word for the names of all streams, so that a further stream changes no snapshot.
    fn without_names(text: &str) -> String {
        text.replace(&names(), "(all streams)")
    }

    #[test]
    fn a_catalog_becomes_steps_and_refusals() {
        insta::assert_snapshot!(check(
            r#"{"stream":{"name":"secrets"}},{"stream":{"name":"sessions"},"sync_mode":"incremental"},{"stream":{"name":"sessions"}},{"stream":{"name":"users"}},{"stream":{"name":"playbooks"},"sync_mode":"INVALID"}"#,
            "[]"
        ), @r#"
        read secrets Bounds { start_date: None, end_date: None, since: None }
        read sessions Bounds { start_date: Some(100), end_date: None, since: None }
        refuse: stream "users" does not exist: this connector has (all streams)
        refuse: stream playbooks: the catalog asks for a sync mode that does not exist; full_refresh and incremental do
        "#);
        insta::assert_snapshot!(check("", "[]"), @"");
    }

    #[test]
    fn a_state_is_honoured_in_either_mode_and_an_unreadable_one_is_said() {
        let state = r#"[{"type":"STREAM","stream":{"stream_descriptor":{"name":"sessions"},"stream_state":{"updated_at":5}}},{"type":"STREAM","stream":{"stream_descriptor":{"name":"secrets"},"stream_state":{"updated_at":"soon"}}},{"type":"STREAM","stream":{"stream_descriptor":{"name":"unknown"},"stream_state":{}}},{"type":"STREAM","stream":{"stream_descriptor":{"name":"playbooks"},"stream_state":{"updated_at":"1768226234"}}}]"#;
        insta::assert_snapshot!(check(
            r#"{"stream":{"name":"sessions"},"sync_mode":"full_refresh"},{"stream":{"name":"secrets"},"sync_mode":"incremental"},{"stream":{"name":"playbooks"},"sync_mode":"incremental"}"#,
            state
        ), @"
        read sessions Bounds { start_date: Some(100), end_date: None, since: Some(5) }
        read secrets Bounds { start_date: None, end_date: None, since: None }
        read playbooks Bounds { start_date: None, end_date: None, since: Some(1768226234) }
        warn: stream secrets: the state cannot be read (updated_at is not a Unix time in seconds), so the stream is read from the beginning
        info: stream sessions: full refresh goes on from the state that was given, as after an interruption; without a state it reads everything
        ");
        let foreign = r#"[{"type":"STREAM","stream":{"stream_descriptor":{"name":"sessions"},"stream_state":{"__ab_no_cursor_state_message":true}}}]"#;
        insta::assert_snapshot!(check(r#"{"stream":{"name":"sessions"},"sync_mode":"incremental"}"#, foreign), @"
        read sessions Bounds { start_date: Some(100), end_date: None, since: None }
        info: stream sessions: the state holds no updated_at, so the stream is read from the beginning
        ");
        insta::assert_snapshot!(check(r#"{"stream":{"name":"sessions"}}"#, r#"{"sessions":{"updated_at":5}}"#), @"
        read sessions Bounds { start_date: Some(100), end_date: None, since: None }
        warn: a state in the legacy form is ignored: only per-stream states (type STREAM or GLOBAL) are read, so every stream starts from the beginning
        ");
    }

    #[test]
    fn a_state_of_another_namespace_is_not_dropped_without_a_word() {
        let state = |namespace: &str| {
            format!(
                r#"[{{"type":"STREAM","stream":{{"stream_descriptor":{{"name":"secrets"{namespace}}},"stream_state":{{"updated_at":5}}}}}}]"#
            )
        };
        let (bare, a, b) = (r#"{"stream":{"name":"secrets"}}"#, r#","namespace":"a""#, r#","namespace":"b""#);
        insta::assert_snapshot!(check(bare, &state(a)), @r#"
        read secrets Bounds { start_date: None, end_date: None, since: None }
        warn: stream secrets: the state is one of namespace "a", and the catalog names no namespace, so the stream is read from the beginning
        "#);
        let named = r#"{"stream":{"name":"secrets","namespace":"a"}}"#;
        insta::assert_snapshot!(check(named, &state(b)), @r#"
        read secrets Bounds { start_date: None, end_date: None, since: None }
        warn: stream secrets: the state is one of namespace "b", and the catalog names namespace "a", so the stream is read from the beginning
        "#);
        for same in [check(bare, &state("")), check(named, &state(a)), check(named, &state(""))] {
            assert!(!same.contains("warn:"), "{same}");
        }
    }

    #[test]
    fn names_pick_streams_in_the_tables_order() {
        let picked = |list| pick(list).map(|streams| streams.iter().map(|stream| stream.name).collect::<Vec<_>>());
        insta::assert_debug_snapshot!(picked("secrets, sessions,secrets"), @r#"
        Ok(
            [
                "sessions",
                "secrets",
            ],
        )
        "#);
        assert_eq!(picked("all").unwrap().len(), STREAMS.len());
        insta::assert_snapshot!(without_names(&picked("session").unwrap_err()), @r#"stream "session" does not exist: did you mean "sessions"? this connector has (all streams)"#);
        insta::assert_snapshot!(without_names(&picked(" ,").unwrap_err()), @"no stream is named: give all, or some of (all streams)");
    }
}
