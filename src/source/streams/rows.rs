//! The rows of the table, in the order of the catalog.

use super::{Added, Cursor, EACH, Each, Listing, Part, Path, Scope, Stream, Unit, Windows};
use crate::devin::{Form, Paging, Shape};

/// What most rows have in common: one list of the organization, in the common envelope, page by page.
const LIST: Stream = Stream {
    name: "",
    schema: "",
    primary_key: &[],
    cursor: None,
    paths: &[],
    listing: Listing::Whole,
    each: Each::One,
    projects: None,
    unsteady: None,
    form: Form { paging: Paging::Cursor, shape: Shape::In("items") },
    query: &[],
    adds: &[Added::Organization],
    id: &[],
    permission: "",
    is_enterprise: false,
    is_verified: true,
    is_usual: false,
    is_essential: false,
};

/// The same of the streams that are read where nobody says which: their records are the API's own, byte for byte.
const USUAL: Stream =
    Stream { form: Form { paging: Paging::Cursor, shape: Shape::Items }, adds: &[], is_usual: true, ..LIST };

/// When a record has last changed.
const CHANGED: Cursor = Cursor { field: "updated_at", fallback: None, unit: Unit::Seconds };

/// The same in lists where that may be missing.
const CHANGED_OR_CREATED: Cursor = Cursor { fallback: Some("created_at"), ..CHANGED };

/// One row for each UTC day and whatever else there is a list for.
const DAILY: Stream = Stream {
    primary_key: &["id"],
    cursor: Some(Cursor { field: "window_start", fallback: None, unit: Unit::Seconds }),
    listing: Listing::Windows(DAYS),
    form: Form { paging: Paging::Unpaged, shape: Shape::Measures },
    adds: &[Added::Organization, Added::WindowStart, Added::WindowEnd],
    id: &[Part::Organization, Part::Day],
    permission: "ViewOrgMetrics",
    is_verified: false,
    ..LIST
};

/// One request a day.
const DAYS: Windows = Windows { is_of_days: true, most_days: 1, edge_s: 0, tail_s: 0, again_days: 7 };

/// A day of consumption begins in the morning by UTC, and is over the next morning.
const CONSUMPTION_TAIL_S: i64 = 12 * 3_600;

/// The same of consumption, whose items name their day.
const CONSUMPTION: Stream = Stream {
    form: Form { paging: Paging::Unpaged, shape: Shape::Sums("consumption_by_date") },
    permission: "ViewOrgConsumption",
    is_enterprise: true,
    ..DAILY
};

/// What the enterprise has, rather than one of its organizations.
const OF_ENTERPRISE: Stream = Stream { adds: &[], is_enterprise: true, ..LIST };

const fn organization(below: &'static [&'static str]) -> Path {
    Path { scope: Scope::Organization, below }
}

const fn beta(below: &'static [&'static str]) -> Path {
    Path { scope: Scope::Beta, below }
}

const fn organization_of_enterprise(below: &'static [&'static str]) -> Path {
    Path { scope: Scope::OrganizationOfEnterprise, below }
}

const fn enterprise(below: &'static [&'static str]) -> Path {
    Path { scope: Scope::Enterprise, below }
}

/// All streams.
pub const STREAMS: &[Stream] = &[
    Stream {
        name: "sessions",
        schema: include_str!("../../../schemas/sessions.json"),
        primary_key: &["session_id"],
        cursor: Some(CHANGED),
        paths: &[organization(&["sessions"])],
        listing: Listing::Sessions,
        permission: "ViewOrgSessions",
        is_essential: true,
        ..USUAL
    },
    Stream {
        name: "sessions_insights",
        schema: include_str!("../../../schemas/sessions_insights.json"),
        primary_key: &["session_id"],
        cursor: Some(CHANGED),
        paths: &[organization(&["sessions", "insights"])],
        listing: Listing::Sessions,
        permission: "ViewOrgSessions",
        is_essential: true,
        ..USUAL
    },
    Stream {
        name: "session_messages",
        schema: include_str!("../../../schemas/session_messages.json"),
        // The event comes first: some Singer bridges take the first field alone for the key.
        primary_key: &["event_id", "session_id"],
        cursor: Some(Cursor { field: "created_at", fallback: None, unit: Unit::Seconds }),
        paths: &[organization(&["messages"])],
        listing: Listing::PerSession,
        permission: "ViewOrgSessions",
        ..USUAL
    },
    Stream {
        name: "playbooks",
        schema: include_str!("../../../schemas/playbooks.json"),
        primary_key: &["playbook_id"],
        cursor: Some(CHANGED_OR_CREATED),
        paths: &[organization(&["playbooks"])],
        permission: "ManageOrgPlaybooks",
        ..USUAL
    },
    Stream {
        name: "secrets",
        schema: include_str!("../../../schemas/secrets.json"),
        primary_key: &["secret_id"],
        cursor: Some(CHANGED_OR_CREATED),
        paths: &[organization(&["secrets"])],
        permission: "ManageOrgSecrets",
        ..USUAL
    },
    Stream {
        name: "knowledge_notes",
        schema: include_str!("../../../schemas/knowledge_notes.json"),
        primary_key: &["note_id"],
        cursor: Some(CHANGED_OR_CREATED),
        paths: &[organization(&["knowledge", "notes"])],
        permission: "ManageOrgKnowledge",
        ..USUAL
    },
    Stream {
        name: "members",
        schema: include_str!("../../../schemas/members.json"),
        primary_key: &["user_id"],
        paths: &[
            beta(&["members", EACH]),
            organization_of_enterprise(&["members", EACH]),
            organization(&["members", EACH]),
        ],
        each: Each::Union(&["users", "idp-users"]),
        permission: "ViewOrgMembership",
        is_verified: false,
        ..LIST
    },
    Stream {
        name: "schedules",
        schema: include_str!("../../../schemas/schedules.json"),
        primary_key: &["scheduled_session_id"],
        cursor: Some(Cursor { unit: Unit::Iso, ..CHANGED_OR_CREATED }),
        paths: &[organization(&["schedules"])],
        form: Form { paging: Paging::Offset, shape: Shape::In("items") },
        permission: "ViewOrgSchedules",
        ..LIST
    },
    Stream {
        name: "automations",
        schema: include_str!("../../../schemas/automations.json"),
        primary_key: &["automation_id"],
        cursor: Some(CHANGED_OR_CREATED),
        paths: &[organization(&["automations"])],
        permission: "ViewOrgAutomations",
        ..LIST
    },
    Stream {
        name: "knowledge_folders",
        schema: include_str!("../../../schemas/knowledge_folders.json"),
        // A folder of the enterprise may be in the lists of several organizations, with other numbers of notes.
        primary_key: &["id"],
        paths: &[organization(&["knowledge", "folders"])],
        form: Form { paging: Paging::Unpaged, shape: Shape::In("folders") },
        id: &[Part::Organization, Part::Field("folder_id")],
        permission: "ManageOrgKnowledge",
        ..LIST
    },
    Stream {
        name: "repositories",
        schema: include_str!("../../../schemas/repositories.json"),
        primary_key: &["id"],
        paths: &[beta(&["repositories"]), organization(&["repositories"])],
        id: &[
            Part::Organization,
            Part::Field("git_connection_id"),
            Part::FirstOf(&["provider_repository_id", "repo_path"]),
        ],
        permission: "to see repositories",
        is_verified: false,
        ..LIST
    },
    Stream {
        name: "session_attachments",
        schema: include_str!("../../../schemas/session_attachments.json"),
        primary_key: &["attachment_id"],
        cursor: Some(Cursor { field: "session_updated_at", fallback: None, unit: Unit::Seconds }),
        paths: &[organization(&["attachments"])],
        listing: Listing::PerSession,
        form: Form { paging: Paging::Unpaged, shape: Shape::ArrayOr("items") },
        // It may be signed anew each time.
        unsteady: Some("url"),
        adds: &[Added::Organization, Added::SessionUpdatedAt],
        permission: "ViewOrgSessions",
        ..LIST
    },
    Stream {
        name: "pull_requests",
        schema: include_str!("../../../schemas/pull_requests.json"),
        primary_key: &["id"],
        cursor: Some(CHANGED),
        paths: &[organization(&["sessions"])],
        listing: Listing::Sessions,
        projects: Some("pull_requests"),
        form: Form { paging: Paging::Cursor, shape: Shape::Items },
        id: &[Part::Field("session_id"), Part::Field("pr_url")],
        permission: "ViewOrgSessions",
        ..LIST
    },
    Stream {
        name: "consumption_daily",
        schema: include_str!("../../../schemas/consumption_daily.json"),
        cursor: Some(Cursor { field: "date", fallback: None, unit: Unit::SecondsOrMilliseconds }),
        paths: &[organization(&["consumption", "daily"])],
        listing: Listing::Windows(Windows { edge_s: 1, tail_s: CONSUMPTION_TAIL_S, ..DAYS }),
        ..CONSUMPTION
    },
    Stream {
        name: "consumption_daily_users",
        schema: include_str!("../../../schemas/consumption_daily_users.json"),
        cursor: Some(Cursor { field: "date", fallback: None, unit: Unit::SecondsOrMilliseconds }),
        paths: &[organization(&["consumption", "daily", "users", EACH])],
        // A request for each day and person would be too many.
        listing: Listing::Windows(Windows { most_days: 30, edge_s: 1, tail_s: CONSUMPTION_TAIL_S, ..DAYS }),
        each: Each::Member,
        adds: &[Added::Organization, Added::Each("user_id")],
        id: &[Part::Organization, Part::Day, Part::Each],
        ..CONSUMPTION
    },
    Stream {
        name: "metrics_usage_daily",
        schema: include_str!("../../../schemas/metrics_usage_daily.json"),
        paths: &[organization(&["metrics", "usage"])],
        ..DAILY
    },
    Stream {
        name: "metrics_sessions_daily",
        schema: include_str!("../../../schemas/metrics_sessions_daily.json"),
        paths: &[organization(&["metrics", "sessions"])],
        ..DAILY
    },
    Stream {
        name: "metrics_prs_daily",
        schema: include_str!("../../../schemas/metrics_prs_daily.json"),
        paths: &[organization(&["metrics", "prs"])],
        ..DAILY
    },
    Stream {
        name: "active_users",
        schema: include_str!("../../../schemas/active_users.json"),
        cursor: Some(Cursor { field: "start_time", fallback: None, unit: Unit::SecondsOrMilliseconds }),
        paths: &[organization(&["metrics", EACH])],
        // Long enough for a month to be whole, so that none is told for the days that a window has of it.
        listing: Listing::Windows(Windows { most_days: 366, edge_s: 1, again_days: 62, ..DAYS }),
        each: Each::Kind(&["dau", "wau", "mau"]),
        form: Form { paging: Paging::Unpaged, shape: Shape::Array },
        adds: &[Added::Organization, Added::Each("period")],
        id: &[Part::Organization, Part::Each, Part::Day],
        ..DAILY
    },
    Stream {
        name: "organizations",
        schema: include_str!("../../../schemas/organizations.json"),
        primary_key: &["org_id"],
        cursor: Some(CHANGED_OR_CREATED),
        paths: &[enterprise(&["organizations"])],
        permission: "ManageOrganizations",
        ..OF_ENTERPRISE
    },
    Stream {
        name: "service_users",
        schema: include_str!("../../../schemas/service_users.json"),
        primary_key: &["service_user_id"],
        paths: &[enterprise(&["members", "service-users"]), organization_of_enterprise(&["members", "service-users"])],
        query: &[("include_inactive", "true")],
        permission: "ViewAccountMembership",
        ..OF_ENTERPRISE
    },
    Stream {
        name: "roles",
        schema: include_str!("../../../schemas/roles.json"),
        primary_key: &["role_id"],
        paths: &[enterprise(&["roles"])],
        permission: "ViewAccountMembership",
        ..OF_ENTERPRISE
    },
    Stream {
        name: "audit_logs",
        schema: include_str!("../../../schemas/audit_logs.json"),
        primary_key: &["audit_log_id"],
        cursor: Some(Cursor { field: "created_at", fallback: None, unit: Unit::SecondsOrMilliseconds }),
        paths: &[
            enterprise(&["audit-logs"]),
            organization_of_enterprise(&["audit-logs"]),
            organization(&["audit-logs"]),
        ],
        // The API takes a hundred days at most, and a second more is asked for at either end.
        listing: Listing::Log(Windows { is_of_days: false, most_days: 99, edge_s: 1, tail_s: 0, again_days: 0 }),
        query: &[("order", "asc")],
        permission: "ManageEnterpriseSettings",
        is_verified: false,
        ..OF_ENTERPRISE
    },
    Stream {
        name: "consumption_cycles",
        schema: include_str!("../../../schemas/consumption_cycles.json"),
        primary_key: &["id"],
        paths: &[enterprise(&["consumption", "cycles"])],
        form: Form { paging: Paging::Cursor, shape: Shape::ArrayOr("items") },
        id: &[Part::Field("after")],
        permission: "ManageBilling",
        is_verified: false,
        ..OF_ENTERPRISE
    },
    Stream {
        name: "acu_limits",
        schema: include_str!("../../../schemas/acu_limits.json"),
        primary_key: &["id"],
        paths: &[enterprise(&["consumption", "acu-limits", "devin"])],
        id: &[Part::Field("scope"), Part::Field("org_id"), Part::Field("user_id")],
        permission: "ManageBilling",
        ..OF_ENTERPRISE
    },
];
