//! Where a stream's list is, and the requests for it. Pure.

use serde_json::Value;

use super::identifier::IdPart;
use super::organizations::Organization;
use super::record::Frame;
use super::streams::{Added, EACH, Part, Path, Scope, Stream};
use super::windows::Window;
use crate::devin::{Error, Form, Kind, Request};

/// One list: its paths, of which the first that answers is the one, and what every request for it says.
#[derive(Debug, Clone)]
pub struct Place {
    paths: Vec<(Scope, Vec<String>)>,
    form: Form,
    query: Vec<(&'static str, String)>,
    /// Whether the first path is where the list should be, so that the answer there counts.
    is_led: bool,
}

impl Place {
    /// The list of a stream; `each` is what it is for, where there are many.
    pub fn of(stream: &Stream, org_id: &str, each: Option<&str>) -> Place {
        Place {
            paths: stream.paths.iter().map(|path| (path.scope, segments(path, org_id, each))).collect(),
            form: stream.form,
            query: stream.query.iter().map(|(name, value)| (*name, (*value).to_string())).collect(),
            is_led: false,
        }
    }

    /// The list of sessions.
    pub fn of_sessions(org_id: &str) -> Place {
        let path = Path { scope: Scope::Organization, below: &["sessions"] };
        Place {
            paths: vec![(path.scope, segments(&path, org_id, None))],
            form: Form::default(),
            query: Vec::new(),
            is_led: false,
        }
    }

    /// The list that a stream has below a session; `in_path` is how the session is spelled there.
    pub fn below_session(stream: &Stream, org_id: &str, in_path: &str) -> Place {
        let mut place = Place::of(stream, org_id, None);
        for ((_, path), row) in place.paths.iter_mut().zip(stream.paths) {
            let scope = path.len() - row.below.len();
            path.splice(scope..scope, ["sessions".to_string(), in_path.to_string()]);
        }
        place
    }

    /// The same with further parameters in every request.
    pub fn with(mut self, parameters: Vec<(&'static str, String)>) -> Place {
        self.query.extend(parameters);
        self
    }

    /// The same at the one path of this number.
    pub fn at(mut self, path: Option<usize>) -> Place {
        if let Some(path) = path {
            self.paths = vec![self.paths.swap_remove(path)];
        }
        self
    }

    /// The same where the path of this number has answered for a list of the same kind: it comes first.
    pub fn led_by(mut self, path: Option<usize>) -> Place {
        if let Some(path) = path {
            self.paths[..=path].rotate_right(1);
            self.is_led = true;
        }
        self
    }

    /// Whether the error of a further path says more than the one `before`: a refusal, rather than that a path is unknown, unless
    /// it is known where the list should be.
    pub fn prefers(&self, before: Option<&Error>) -> bool {
        before.is_none_or(|before| !self.is_led && before.kind == Kind::Status(404))
    }

    /// How many paths there are to try.
    pub fn paths(&self) -> usize {
        self.paths.len()
    }

    /// What the path of this number is below.
    pub fn scope(&self, path: usize) -> Scope {
        self.paths[path].0
    }

    /// The request for a page as large as the API gives, at the path of this number, with further parameters.
    pub fn request(&self, path: usize, query: Vec<(&'static str, String)>) -> Request {
        self.sized(path, usize::MAX, query)
    }

    /// The request for the smallest page.
    pub fn smallest(&self, path: usize) -> Request {
        self.sized(path, 1, Vec::new())
    }

    fn sized(&self, path: usize, at_most: usize, query: Vec<(&'static str, String)>) -> Request {
        let query = self.form.size(at_most).into_iter().chain(self.query.clone()).chain(query).collect();
        Request { path: self.paths[path].1.clone(), query, form: self.form }
    }
}

/// The segments of a path.
fn segments(path: &Path, org_id: &str, each: Option<&str>) -> Vec<String> {
    let scope: &[&str] = match path.scope {
        Scope::Organization => &["v3", "organizations", org_id],
        Scope::Beta => &["v3beta1", "organizations", org_id],
        Scope::OrganizationOfEnterprise => &["v3", "enterprise", "organizations", org_id],
        Scope::Enterprise => &["v3", "enterprise"],
    };
    let below = path.below.iter().map(|part| if *part == EACH { each.unwrap_or(EACH) } else { part });
    scope.iter().copied().chain(below).map(str::to_string).collect()
}

/// What a list is for, where a stream is read in several slices.
#[derive(Debug, Clone, Default)]
pub struct Slice {
    pub each: Option<String>,
    pub window: Option<Window>,
    pub session_updated_at: Option<i64>,
    /// What the path is below that has answered; `None` before one has.
    pub scope: Option<Scope>,
}

impl Slice {
    /// Whether it is the only one of its stream.
    pub fn is_only(&self) -> bool {
        self.each.is_none() && self.window.is_none()
    }

    /// What a field has that is added to its records, as JSON; `None` when that is not known.
    fn value(&self, added: Added, org_id: &str) -> Option<Value> {
        match added {
            Added::Organization => Some(Value::from(org_id)),
            Added::Each(_) => self.each.as_deref().map(Value::from),
            Added::WindowStart => self.window.map(|window| Value::from(window.from)),
            Added::WindowEnd => self.window.map(|window| Value::from(window.until)),
            Added::SessionUpdatedAt => self.session_updated_at.map(Value::from),
        }
    }
}

/// The frame of a stream's records, with what the row adds to each. Where several organizations are read, each record says whose it is.
pub fn completed(frame: Frame, stream: &Stream, organization: &Organization, of: &Slice) -> Frame {
    let (mut frame, org_id) = (frame.projecting(stream.projects), organization.id.as_str());
    let is_own = stream.path_of_enterprise().is_some() && of.scope.is_some_and(|scope| scope != Scope::Enterprise);
    if organization.is_one_of_many && (stream.is_usual || is_own) {
        // Null says that it is everybody's.
        frame = frame.with_where_absent(Added::Organization.field(), Value::from(org_id).to_string());
    }
    for added in stream.adds {
        if let Some(value) = of.value(*added, org_id) {
            frame = frame.with(added.field(), value.to_string());
        }
    }
    if stream.id.is_empty() {
        return frame;
    }
    let parts = stream.id.iter().map(|part| match part {
        Part::Organization => IdPart::Of(org_id.to_string()),
        Part::Field(name) => IdPart::Field(name),
        Part::FirstOf(names) => IdPart::FirstOf(names),
        Part::Day => IdPart::Day,
        Part::Each => IdPart::Of(of.each.clone().unwrap_or_default()),
    });
    frame.identified_by(parts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::streams::STREAMS;

    #[test]
    fn every_list_has_its_paths_and_parameters() {
        let mut told = Vec::new();
        for stream in STREAMS {
            let place = Place::of(stream, "org-1", Some("EACH"));
            for path in 0..place.paths() {
                let Request { path, query, .. } = place.request(path, Vec::new());
                let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
                told.push(format!("{}: /{} {}", stream.name, path.join("/"), query.join("&")));
            }
        }
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn what_is_below_a_session_comes_after_it() {
        let stream = crate::source::streams::find("session_messages").unwrap();
        let request = Place::below_session(stream, "org-1", "devin-a").smallest(0);
        assert_eq!(request.path, ["v3", "organizations", "org-1", "sessions", "devin-a", "messages"]);
        assert_eq!(request.query, [("first", "1".to_string())]);
    }
}
