//! The table as the documents show it. Pure.

use super::{STREAMS, Scope, Stream};

/// What the endpoints of the table are below unless they say otherwise.
const USUAL_SCOPE: &str = "/v3/organizations/{org_id}";

/// The rows of the table of streams, in Markdown, with its head.
pub fn in_markdown() -> String {
    let mut table = "| Stream | Endpoint | Primary key | Cursor field | Permission | Plan | Facts |\n|---|---|---|---|---|---|---|\n".to_string();
    for stream in STREAMS {
        table += &row(stream);
    }
    table
}

fn row(stream: &Stream) -> String {
    let key: Vec<String> = stream.primary_key.iter().map(|field| format!("`{field}`")).collect();
    let cursor = stream.cursor.map_or("none".to_string(), |cursor| {
        let fallback = cursor.fallback.map_or(String::new(), |fallback| format!(", else `{fallback}`"));
        format!("`{}`{fallback}", cursor.field)
    });
    let endpoints = endpoints(stream);
    let paths = endpoints.iter().map(|path| format!("`{}`", path.strip_prefix(USUAL_SCOPE).unwrap_or(path)));
    let paths: Vec<String> = paths.collect();
    format!(
        "| `{}` | {} | {} | {cursor} | {} | {} | {} |\n",
        stream.name,
        paths.join(", else "),
        key.join(", "),
        if is_permission(stream.permission) {
            format!("`{}`", stream.permission)
        } else {
            "not documented".to_string()
        },
        if stream.is_enterprise { "Enterprise" } else { "any" },
        if stream.is_verified { "documented" } else { "unverified" },
    )
}

/// Whether it is a permission's name, rather than words for one that nobody has named.
pub fn is_permission(text: &str) -> bool {
    !text.contains(' ')
}

/// The paths of a stream, as people write them.
pub fn endpoints(stream: &Stream) -> Vec<String> {
    let path = |path: &super::Path| {
        let scope = match path.scope {
            Scope::Organization => USUAL_SCOPE,
            Scope::Beta => "/v3beta1/organizations/{org_id}",
            Scope::OrganizationOfEnterprise => "/v3/enterprise/organizations/{org_id}",
            Scope::Enterprise => "/v3/enterprise",
        };
        let session = if stream.listing == super::Listing::PerSession { "/sessions/{session_id}" } else { "" };
        let each = stream.each.in_words();
        let below: String =
            path.below.iter().map(|part| format!("/{}", if *part == super::EACH { &each } else { *part })).collect();
        format!("{scope}{session}{below}")
    };
    stream.paths.iter().map(path).collect()
}
