//! What can be asked of the bridge beside deliveries: one table, which routing, its refusals and the description for programs are held
//! against. Knows no answers.

use hyper::Method;

use crate::relay::serve::access::Right;

/// A method at a path.
pub struct Endpoint {
    pub method: Method,
    /// At most one segment stands in braces: it may be anything but empty.
    pub path: &'static str,
    /// What whoever asks must be allowed to do.
    pub right: Right,
    /// The parameters that its query may have.
    pub query: &'static [&'static str],
    pub handler: Handler,
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    Health,
    Readiness,
    Metrics,
    Description,
    Alerts,
    Alert,
    Jobs,
    Job,
    Deliveries,
    Delivery,
    Decisions,
    Storms,
    Actions,
    Notifications,
    Suppressions,
    Rules,
    Limits,
    Integrations,
    Statistics,
    Switches,
    Simulate,
    KillSwitch,
    Pause,
    Reload,
    BackUp,
    Retry,
    End,
    Start,
    Suppress,
    Unsuppress,
    Resend,
}

const ALERTS: &[&str] = &[
    "state",
    "responder",
    "gate",
    "result",
    "rule",
    "integration",
    "route",
    "severity",
    "text",
    "since",
    "after",
    "limit",
];
const JOBS: &[&str] =
    &["responder", "gate", "result", "rule", "integration", "severity", "alert", "since", "after", "limit"];
const DELIVERIES: &[&str] = &["state", "route", "since", "after", "limit"];
const DECISIONS: &[&str] = &["alert", "job", "rule", "decision", "gate", "since", "after", "limit"];
const NOTIFICATIONS: &[&str] = &["state", "target", "alert", "job", "after", "limit"];
const PAGE: &[&str] = &["after", "limit"];

/// All of them.
pub static ENDPOINTS: [Endpoint; 33] = [
    get("/healthz", Right::Nothing, &[], Handler::Health),
    get("/readyz", Right::Nothing, &[], Handler::Readiness),
    get("/metrics", Right::Read, &[], Handler::Metrics),
    get("/api/v1/openapi.json", Right::Read, &[], Handler::Description),
    get("/api/v1/alerts", Right::Read, ALERTS, Handler::Alerts),
    get("/api/v1/alerts/{tag}", Right::Read, &[], Handler::Alert),
    get("/api/v1/jobs", Right::Read, JOBS, Handler::Jobs),
    get("/api/v1/jobs/{id}", Right::Read, &[], Handler::Job),
    get("/api/v1/deliveries", Right::Read, DELIVERIES, Handler::Deliveries),
    get("/api/v1/deliveries/{id}", Right::Read, &[], Handler::Delivery),
    get("/api/v1/decisions", Right::Read, DECISIONS, Handler::Decisions),
    get("/api/v1/storms", Right::Read, PAGE, Handler::Storms),
    get("/api/v1/actions", Right::Read, PAGE, Handler::Actions),
    get("/api/v1/notifications", Right::Read, NOTIFICATIONS, Handler::Notifications),
    get("/api/v1/suppressions", Right::Read, &[], Handler::Suppressions),
    get("/api/v1/rules", Right::Read, &[], Handler::Rules),
    get("/api/v1/limits", Right::Read, &[], Handler::Limits),
    get("/api/v1/integrations", Right::Read, &[], Handler::Integrations),
    get("/api/v1/stats", Right::Read, &["days"], Handler::Statistics),
    get("/api/v1/kill-switch", Right::Read, &[], Handler::Switches),
    get("/api/v1/pause", Right::Read, &[], Handler::Switches),
    post("/api/v1/rules/simulate", Right::Read, &["route"], Handler::Simulate),
    post("/api/v1/kill-switch", Right::Admin, &[], Handler::KillSwitch),
    post("/api/v1/pause", Right::Admin, &[], Handler::Pause),
    post("/api/v1/reload", Right::Admin, &[], Handler::Reload),
    post("/api/v1/backup", Right::Admin, &[], Handler::BackUp),
    post("/api/v1/jobs/{id}/retry", Right::Admin, &[], Handler::Retry),
    post("/api/v1/jobs/{id}/end", Right::Admin, &[], Handler::End),
    post("/api/v1/alerts/{tag}/start", Right::Admin, &[], Handler::Start),
    post("/api/v1/notifications/{id}/resend", Right::Admin, &[], Handler::Resend),
    post("/api/v1/suppressions", Right::Admin, &[], Handler::Suppress),
    delete("/api/v1/suppressions/{dedupe_key}", Right::Admin, &[], Handler::Unsuppress),
    // A page that asks with a form cannot send DELETE.
    post("/api/v1/suppressions/{dedupe_key}/end", Right::Admin, &[], Handler::Unsuppress),
];

/// What stands at a path, and what stands there in the place of the braces. Empty where nothing does.
pub fn at(path: &str) -> Vec<(&'static Endpoint, Option<&str>)> {
    ENDPOINTS.iter().filter_map(|endpoint| Some((endpoint, endpoint.matches(path)?))).collect()
}

/// The methods of what stands at a path, as `Allow` lists them.
pub fn allowed(found: &[(&Endpoint, Option<&str>)]) -> String {
    let mut methods: Vec<&str> = Vec::new();
    for (endpoint, _) in found {
        methods.push(endpoint.method.as_str());
        if endpoint.method == Method::GET {
            methods.push("HEAD");
        }
    }
    methods.push("OPTIONS");
    methods.join(", ")
}

impl Endpoint {
    /// Whether it answers this method.
    pub fn takes(&self, method: &Method) -> bool {
        self.method == *method || self.method == Method::GET && *method == Method::HEAD
    }

    /// What stands in the place of the braces, or nothing where there are none; `None` where it is another path.
    fn matches<'p>(&self, path: &'p str) -> Option<Option<&'p str>> {
        let (mut found, mut segments) = (None, path.split('/'));
        for wanted in self.path.split('/') {
            let segment = segments.next()?;
            match wanted.starts_with('{') {
                true if !segment.is_empty() => found = Some(segment),
                false if segment == wanted => {}
                _ => return None,
            }
        }
        segments.next().is_none().then_some(found)
    }
}

const fn get(path: &'static str, right: Right, query: &'static [&'static str], handler: Handler) -> Endpoint {
    Endpoint { method: Method::GET, path, right, query, handler }
}

const fn post(path: &'static str, right: Right, query: &'static [&'static str], handler: Handler) -> Endpoint {
    Endpoint { method: Method::POST, path, right, query, handler }
}

const fn delete(path: &'static str, right: Right, query: &'static [&'static str], handler: Handler) -> Endpoint {
    Endpoint { method: Method::DELETE, path, right, query, handler }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn a_path_leads_to_what_stands_there_with_what_stands_in_its_braces() {
        for (path, expected) in [
            ("/api/v1/alerts", "GET -"),
            ("/api/v1/alerts/ar-1", "GET ar-1"),
            ("/api/v1/alerts/ar-1/start", "POST ar-1"),
            ("/api/v1/pause", "GET -, POST -"),
            ("/api/v1/suppressions/a%2Fb", "DELETE a%2Fb"),
            ("/api/v1/alerts/", ""),
            ("/api/v1/alerts/a/b", ""),
            ("/api/v1", ""),
            ("/", ""),
        ] {
            let found = at(path);
            let shown: Vec<String> =
                found.iter().map(|(endpoint, id)| format!("{} {}", endpoint.method, id.unwrap_or("-"))).collect();
            assert_eq!(shown.join(", "), expected, "{path}");
        }
        assert_eq!(allowed(&at("/api/v1/pause")), "GET, HEAD, POST, OPTIONS");
    }

    #[test]
    fn no_two_answer_the_same_and_only_reading_needs_no_more_than_the_right_to_read() {
        let places: BTreeSet<String> =
            ENDPOINTS.iter().map(|endpoint| format!("{} {}", endpoint.method, endpoint.path)).collect();
        assert_eq!(places.len(), ENDPOINTS.len());
        for endpoint in &ENDPOINTS {
            let changes_nothing = endpoint.method == Method::GET || endpoint.handler == Handler::Simulate;
            assert_eq!(changes_nothing, endpoint.right < Right::Admin, "{} {}", endpoint.method, endpoint.path);
        }
    }

    /// The description says the same as the table: no more, no less.
    #[test]
    fn the_description_has_every_address_with_its_parameters_and_who_may_ask() {
        let described: Value = serde_json::from_str(super::super::api::DESCRIPTION).unwrap();
        let parameters = |operation: &Value, place: &str| -> Vec<String> {
            let all = operation["parameters"].as_array().cloned().unwrap_or_default();
            let here = all.into_iter().filter(|parameter| parameter["in"] == place);
            here.map(|parameter| parameter["name"].as_str().unwrap().to_string()).collect()
        };
        let mut of_description = BTreeSet::new();
        for (path, methods) in described["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let security: Vec<&str> = operation["security"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .flat_map(|one| one.as_object().unwrap().keys().map(String::as_str))
                    .collect();
                let query = parameters(operation, "query").join(" ");
                of_description.insert(format!("{} {path} [{query}] {security:?}", method.to_uppercase()));
                let in_path = parameters(operation, "path").concat();
                assert!(in_path.is_empty() || path.contains(&format!("{{{in_path}}}")), "{path} {in_path}");
            }
        }
        let of_table: BTreeSet<String> = ENDPOINTS
            .iter()
            .map(|endpoint| {
                let security: &[&str] = match endpoint.right {
                    Right::Nothing => &[],
                    Right::Read => &["read", "admin"],
                    Right::Admin => &["admin"],
                };
                format!("{} {} [{}] {security:?}", endpoint.method, endpoint.path, endpoint.query.join(" "))
            })
            .collect();
        assert_eq!(of_table, of_description);
    }

    #[test]
    fn the_page_about_the_api_names_every_address_and_every_filter_of_alerts() {
        let page = include_str!("../../../../docs/api.md");
        for endpoint in &ENDPOINTS {
            let mut words = endpoint.path.rsplit('/').filter(|word| !word.starts_with('{'));
            let last = words.next().unwrap();
            assert!(page.contains(&format!("/{last}")), "{} is not on the page", endpoint.path);
        }
        for name in ALERTS {
            assert!(page.contains(&format!("`{name}")), "the parameter {name} is not on the page");
        }
    }
}
