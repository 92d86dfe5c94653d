//! The vocabulary: what people of a small company ask for, and with which words.

/// A kind of work, with what it tends to need and to lead to.
pub struct Category {
    pub name: &'static str,
    pub weight: u64,
    /// What was asked, as an imperative without a full stop.
    pub tasks: [&'static str; 3],
    pub subcategories: [&'static str; 2],
    /// The place of the playbook for it.
    pub playbook: Option<u64>,
    /// The greatest consumption, roughly, in ACUs.
    pub acus: u64,
    /// How many of a hundred lead to a pull request.
    pub pull_request_percent: u64,
}

const fn category(
    name: &'static str,
    weight: u64,
    tasks: [&'static str; 3],
    subcategories: [&'static str; 2],
    playbook: Option<u64>,
    acus: u64,
    pull_request_percent: u64,
) -> Category {
    Category { name, weight, tasks, subcategories, playbook, acus, pull_request_percent }
}

#[rustfmt::skip]
pub const CATEGORIES: [Category; 15] = [
    category("bug_fixing", 22, ["Fix the rounding error in refunds", "Find out why invoices arrive twice", "Stop the retry loop after a lost lock"], ["Logic Errors", "Crashes & Exceptions"], Some(0), 18, 84),
    category("feature_development", 18, ["Add CSV export to the orders page", "Let customers change their billing address", "Show delivery windows at checkout"], ["API Endpoints", "UI Components"], None, 40, 82),
    category("unit_test_generation", 9, ["Cover the tax rules with tests", "Write tests for the voucher parser", "Test the empty-basket path"], ["Unit Tests", "Fixtures & Mocks"], Some(2), 12, 90),
    category("migrations_and_upgrades", 9, ["Upgrade the web framework to the next major version", "Move the job queue to PostgreSQL 17", "Replace the retired date library"], ["Framework Upgrades", "Database Migrations"], Some(4), 34, 74),
    category("code_review", 6, ["Review the pull request about rate limits", "Review the new permission checks", "Look over the cache invalidation change"], ["Pull Request Review", "Design Review"], Some(3), 5, 6),
    category("code_review_and_analysis", 3, ["Explain how prices reach the search index", "List every caller of the old tax service", "Judge the error handling of the importer"], ["Architecture Analysis", "Impact Analysis"], Some(3), 7, 8),
    category("refactoring_and_optimization", 8, ["Split the order service into modules", "Make the nightly report faster", "Remove the second copy of the currency table"], ["Performance", "Restructuring"], None, 24, 72),
    category("ci_cd_and_devops", 7, ["Repair the red deployment pipeline", "Cache dependencies in the build", "Pin the base images by digest"], ["Pipelines", "Infrastructure as Code"], Some(7), 12, 78),
    category("documentation_and_content", 5, ["Describe the webhook signatures", "Bring the onboarding guide up to date", "Document the feature flags"], ["READMEs & Guides", "API Reference"], Some(5), 6, 80),
    category("production_investigation", 5, ["Find the cause of the latency peak on Tuesday", "Explain the missing events of last night", "Trace the failed payouts"], ["Incident Analysis", "Log Analysis"], Some(6), 16, 26),
    category("security", 3, ["Close the open redirect at sign-in", "Rotate the signing keys without downtime", "Check uploads for path traversal"], ["Vulnerability Fixes", "Access Control"], None, 14, 70),
    category("code_quality_and_security", 3, ["Bring the linter back to zero findings", "Update packages with known vulnerabilities", "Remove dead feature flags"], ["Static Analysis", "Dependency Hygiene"], Some(1), 10, 76),
    category("data_and_automation", 4, ["Load last year's returns into the warehouse", "Send the weekly stock report by itself", "Match supplier names across two systems"], ["Data Pipelines", "Scripts"], None, 20, 48),
    category("research_and_exploration", 4, ["Compare three queue libraries for our load", "Try the vector index on real queries", "Estimate the work to support IPv6"], ["Prototypes", "Technology Comparison"], None, 10, 16),
    category("other", 4, ["Rename the staging environment", "Answer the vendor's questionnaire", "Tidy the issue labels"], ["Housekeeping", "Other"], None, 6, 30),
];

pub const REPOSITORIES: [&str; 8] = [
    "northwind-labs/payments-api",
    "northwind-labs/storefront",
    "northwind-labs/order-service",
    "northwind-labs/warehouse-sync",
    "northwind-labs/mobile-app",
    "northwind-labs/infra",
    "northwind-labs/search",
    "northwind-labs/docs.northwind.example",
];

/// Someone who starts sessions.
pub struct Person {
    pub id: &'static str,
    pub name: &'static str,
    pub weight: u64,
}

const fn person(id: &'static str, name: &'static str, weight: u64) -> Person {
    Person { id, name, weight }
}

pub const USERS: [Person; 8] = [
    person("google-oauth2|104273958120645871301", "Amira Haddad", 28),
    person("google-oauth2|104285533907216440872", "Jonas Lindqvist", 20),
    person("google-oauth2|104219846650371925563", "Priya Raman", 16),
    person("email|6650f1c2a4b98d0012e7f304", "Tomás O'Neill", 12),
    person("google-oauth2|104266017348829105735", "Zoë Krüger", 9),
    person("email|665214dd0b3f7e0019c8a6b5", "李明", 7),
    person("google-oauth2|104231775024986613846", "Olu Adeyemi", 5),
    person("email|66a0c93e7d1f420014b5e927", "Sam \"Ops\" Novak", 3),
];

pub const SERVICE_USERS: [Person; 3] = [
    person("service-user-3f0c9d6e8b5a4f2c9a7d1e6b0c4f8a23", "alert-bridge", 60),
    person("service-user-b81e27d49c0f4a6e8d35f7a2c9e0b164", "nightly-jobs", 40),
    // Belongs to the enterprise, and starts nothing by itself.
    person("service-user-0a7c4be1d2f94d6385b1c7e08f2a6d93", "enterprise-relay", 0),
];

/// Where sessions of people come from, with weights in a hundred.
pub const USER_ORIGINS: [(&str, u64); 8] = [
    ("webapp", 44),
    ("slack", 25),
    ("linear", 10),
    ("jira", 7),
    ("cli", 6),
    ("teams", 4),
    ("desktop", 3),
    ("other", 1),
];

/// Where sessions of service users come from, with weights in a hundred.
pub const SERVICE_ORIGINS: [(&str, u64); 3] = [("api", 60), ("automation", 30), ("code_scan", 10)];

/// Every origin the API names.
pub const ORIGINS: [&str; 11] =
    ["webapp", "slack", "teams", "api", "linear", "jira", "automation", "cli", "desktop", "code_scan", "other"];

pub const DEVIN_MODES: [(Option<&str>, u64); 6] =
    [(Some("normal"), 68), (Some("fast"), 11), (Some("lite"), 9), (Some("ultra"), 4), (Some("fusion"), 3), (None, 5)];

/// How many automations start sessions. No list shows them.
pub const AUTOMATIONS: u64 = 3;

/// What some titles end with, to try those who read them.
pub const TITLE_TAILS: [&str; 8] = [
    " (\"urgent\", says support)",
    " 🚀",
    " \\\\fileserver\\builds\\42",
    " – für Zürich & São Paulo",
    " 修复购物车",
    "\u{2028}second line",
    "\tsee ticket <b>PAY-118</b>",
    " 👩‍💻 l'été d'après",
];

/// The names of the knowledge folders and, for one below another, its parent's place.
pub const FOLDERS: [(&str, &str, Option<u64>); 5] = [
    ("Backend", "/Backend", None),
    ("Payments", "/Backend/Payments", Some(0)),
    ("Frontend", "/Frontend", None),
    ("On-call & incidents", "/On-call & incidents", None),
    ("Überblick", "/Überblick", None),
];

/// The tags in use; a session of people carries at most three, and at most one of a team.
pub const TAGS: [&str; 10] = [
    "team:payments",
    "team:storefront",
    "team:platform",
    "oncall",
    "tech-debt",
    "p1",
    "needs review",
    "área:pagos",
    "q2/roadmap",
    "customer+request",
];
