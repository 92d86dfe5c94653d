//! The lists beside sessions, playbooks, secrets and notes: where each is, how its pages are asked for, who may.
//!
//! They are short, so each is worked out whole for every page.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::data::{Organization, enterprise, measure, setup};
use super::json::Json;
use super::key::Key;
use super::page::PageRequest;
use super::problem::{InvalidParameter, Problem};
use super::query::Query;

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub struct List {
    /// Its path, of which `*` stands for one segment, and `{org}` for the organization.
    path: &'static str,
    pub permission: &'static str,
    pages: Pages,
    items: Items,
}

/// How an answer is built.
#[derive(Debug, PartialEq, Eq)]
enum Pages {
    /// The common envelope, with cursors.
    Cursor,
    /// The same, with `limit` and `offset`.
    Offset,
    /// The items, and nothing else.
    Array,
    /// Whatever the items are made into.
    Whole,
}

/// What is in it.
#[derive(Debug, PartialEq, Eq)]
enum Items {
    Members,
    Schedules,
    Automations,
    Repositories,
    Attachments,
    Consumption,
    Usage,
    SessionCounts,
    PullRequestCounts,
    ActiveUsers,
    ServiceUsers,
    Roles,
    AuditLogs,
    Cycles,
    Limits,
}

const fn list(path: &'static str, permission: &'static str, pages: Pages, items: Items) -> List {
    List { path, permission, pages, items }
}

#[rustfmt::skip]
const LISTS: &[List] = &[
    list("v3beta1/organizations/{org}/members/users", "ViewOrgMembership", Pages::Cursor, Items::Members),
    list("v3beta1/organizations/{org}/members/idp-users", "ViewOrgMembership", Pages::Cursor, Items::Members),
    list("v3/organizations/{org}/schedules", "ViewOrgSchedules", Pages::Offset, Items::Schedules),
    list("v3/organizations/{org}/automations", "ViewOrgAutomations", Pages::Cursor, Items::Automations),
    list("v3beta1/organizations/{org}/repositories", "ViewOrgSessions", Pages::Cursor, Items::Repositories),
    list("v3/organizations/{org}/sessions/*/attachments", "ViewOrgSessions", Pages::Array, Items::Attachments),
    list("v3/organizations/{org}/consumption/daily", "ViewOrgConsumption", Pages::Whole, Items::Consumption),
    list("v3/organizations/{org}/consumption/daily/users/*", "ViewOrgConsumption", Pages::Whole, Items::Consumption),
    list("v3/organizations/{org}/metrics/usage", "ViewOrgMetrics", Pages::Whole, Items::Usage),
    list("v3/organizations/{org}/metrics/sessions", "ViewOrgMetrics", Pages::Whole, Items::SessionCounts),
    list("v3/organizations/{org}/metrics/prs", "ViewOrgMetrics", Pages::Whole, Items::PullRequestCounts),
    list("v3/organizations/{org}/metrics/dau", "ViewOrgMetrics", Pages::Array, Items::ActiveUsers),
    list("v3/organizations/{org}/metrics/wau", "ViewOrgMetrics", Pages::Array, Items::ActiveUsers),
    list("v3/organizations/{org}/metrics/mau", "ViewOrgMetrics", Pages::Array, Items::ActiveUsers),
    list("v3/enterprise/members/service-users", "ViewAccountMembership", Pages::Cursor, Items::ServiceUsers),
    list("v3/enterprise/roles", "ViewAccountMembership", Pages::Cursor, Items::Roles),
    list("v3/enterprise/audit-logs", "ManageEnterpriseSettings", Pages::Cursor, Items::AuditLogs),
    list("v3/enterprise/consumption/cycles", "ManageBilling", Pages::Cursor, Items::Cycles),
    list("v3/enterprise/consumption/acu-limits/devin", "ManageBilling", Pages::Cursor, Items::Limits),
];

/// The list at a path, whose segments are decoded: with the organization that the path names, and what stands for `*`.
pub fn find(segments: &[&str]) -> Option<(&'static List, Option<String>, Option<String>)> {
    LISTS.iter().find_map(|list| {
        let (mut org_id, mut each) = (None, None);
        let parts: Vec<&str> = list.path.split('/').collect();
        let is_it = parts.len() == segments.len()
            && parts.iter().zip(segments).all(|(part, segment)| match *part {
                "{org}" => {
                    org_id = Some((*segment).to_owned());
                    true
                }
                "*" => {
                    each = Some((*segment).to_owned());
                    true
                }
                part => part == *segment,
            });
        is_it.then_some((list, org_id, each))
    })
}

impl List {
    /// Whether a fault of its pages' cursors can strike it.
    pub fn is_paged(&self) -> bool {
        self.pages == Pages::Cursor
    }

    /// Whether it is the enterprise's, which only its own key may see.
    fn is_of_enterprise(&self) -> bool {
        self.path.starts_with("v3/enterprise")
    }

    /// The JSON body that answers a GET; `each` is what stands for `*` in the path.
    ///
    /// # Errors
    /// As for any list; 404 for a session or a person that does not exist.
    pub fn answer(
        &self,
        organization: &Organization,
        each: Option<&str>,
        (path, query, key): (&str, &Query, Key),
        (now, is_stuck): (i64, bool),
    ) -> Result<String, Problem> {
        if self.is_of_enterprise() && key != Key::Enterprise {
            return Err(Problem::lacks(self.permission));
        }
        let items = self.items(organization, each, query, now)?;
        match self.pages {
            Pages::Cursor => {
                let page = PageRequest::new(query, path, is_stuck)?;
                let count = items.len() as u64;
                let rest = items.into_iter().enumerate().skip(page.position as usize);
                let places = rest.map(|(place, item)| (place as u64, item));
                Ok(page.write(Some(count), places, |json, item| json.value(&item)))
            }
            Pages::Offset => offset_page(query, &items),
            Pages::Array => Ok(written(&Value::from(items))),
            Pages::Whole => Ok(written(&self.whole(items))),
        }
    }

    fn items(
        &self,
        organization: &Organization,
        each: Option<&str>,
        query: &Query,
        now: i64,
    ) -> Result<Vec<Value>, Problem> {
        let required = || {
            let bound = |name| query.integer(name)?.ok_or_else(|| missing(name));
            Ok::<_, Problem>((bound("time_after")?, bound("time_before")?))
        };
        let optional = || {
            let from = query.integer("time_after")?.unwrap_or(now - 30 * 86_400);
            Ok::<_, Problem>((from, query.integer("time_before")?.unwrap_or(now)))
        };
        Ok(match self.items {
            Items::Members => setup::members(organization, self.path.ends_with("idp-users")),
            Items::Schedules => setup::schedules(organization),
            Items::Automations => setup::automations(organization),
            Items::Repositories => setup::repositories(),
            Items::Attachments => {
                let index = each.and_then(|id| organization.index_of(id));
                setup::attachments(organization, index.ok_or_else(|| Problem::unknown("session"))?)
            }
            Items::Consumption => measure::consumption(organization, each, optional()?, now)?,
            Items::Usage => vec![measure::usage(organization, optional()?)],
            Items::SessionCounts => vec![measure::session_counts(organization, required()?)],
            Items::PullRequestCounts => vec![measure::pull_request_counts(organization, required()?)],
            Items::ActiveUsers => {
                let days = if self.path.ends_with("dau") {
                    1
                } else if self.path.ends_with("wau") {
                    7
                } else {
                    30
                };
                measure::active_users(organization, days, required()?, now)
            }
            Items::ServiceUsers => enterprise::service_users(query.boolean("include_inactive")?.unwrap_or(false)),
            Items::Roles => enterprise::roles(),
            Items::AuditLogs => enterprise::audit_logs(organization, query)?,
            Items::Cycles => enterprise::cycles(),
            Items::Limits => enterprise::limits(),
        })
    }

    /// What the items of an answer without an envelope are made into.
    fn whole(&self, mut items: Vec<Value>) -> Value {
        if self.items == Items::Consumption {
            let total: f64 = items.iter().filter_map(|day| day["acus"].as_f64()).sum();
            return json!({"total_acus": (total * 100.0).round() / 100.0, "consumption_by_date": items});
        }
        items.pop().unwrap_or(Value::Null)
    }
}

fn offset_page(query: &Query, items: &[Value]) -> Result<String, Problem> {
    let (limit, offset) = (query.integer("limit")?.unwrap_or(200), query.integer("offset")?.unwrap_or(0));
    if !(1..=200).contains(&limit) {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "limit is out of range"));
    }
    let from = usize::try_from(offset).unwrap_or(0).min(items.len());
    let until = (from + limit as usize).min(items.len());
    let body = json!({
        "items": items[from..until], "end_cursor": null, "has_next_page": until < items.len(), "total": items.len(),
    });
    Ok(written(&body))
}

fn missing(name: &'static str) -> Problem {
    Problem::invalid(InvalidParameter {
        name,
        input: String::new(),
        kind: "missing",
        message: "Field required".to_owned(),
    })
}

fn written(value: &Value) -> String {
    let mut json = Json::default();
    json.value(value);
    json.into_text()
}
