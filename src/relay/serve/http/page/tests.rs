use super::visitor::{back, field, fields};
use super::*;

#[test]
fn every_address_of_a_page_is_known_and_no_other() {
    let methods = |path: &str| Wanted::at(path).map_or("not a page", |wanted| wanted.methods());
    let paths = [
        "/",
        "/alerts/ar-1",
        "/login",
        "/logout",
        "/events",
        "/page/style.css",
        "/page/live.js",
        "/page/none",
        "/actions/retry",
        "/api/v1/alerts",
        "/v1/hooks/auto",
        "/healthz",
        "//",
    ];
    let table: Vec<String> = paths.iter().map(|path| format!("{path}: {}", methods(path))).collect();
    insta::assert_snapshot!(table.join("\n"), @r"
    /: GET, HEAD
    /alerts/ar-1: GET, HEAD
    /login: GET, HEAD, POST
    /logout: POST
    /events: GET, HEAD
    /page/style.css: GET, HEAD
    /page/live.js: GET, HEAD
    /page/none: not a page
    /actions/retry: POST
    /api/v1/alerts: not a page
    /v1/hooks/auto: not a page
    /healthz: not a page
    //: not a page
    ");
}

#[test]
fn a_form_leads_back_to_our_own_pages_only() {
    let leads = |asked: &str| back(Some(asked.to_string()));
    assert_eq!(leads("/alerts/ar-1?did=x"), "/alerts/ar-1?did=x");
    for foreign in
        ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "", "/a b", "/a\r\nset-cookie: x"]
    {
        assert_eq!(leads(foreign), "/", "{foreign:?}");
    }
    assert_eq!(back(None), "/");
}

#[test]
fn a_form_is_read_as_browsers_send_it() {
    let form = fields(b"rule=a+%26+b&token=%C3%A9&odd&empty=");
    assert_eq!(field(&form, "rule"), Some("a & b"));
    assert_eq!(field(&form, "token"), Some("\u{e9}"));
    assert_eq!(field(&form, "empty"), Some(""));
    assert_eq!(field(&form, "odd"), None);
}
