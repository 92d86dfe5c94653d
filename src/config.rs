//! The connection settings both jobs share: from a file, from the environment, or from both.
//!
//! A problem with a value names the field and what it should be, never the value: the file holds a secret.

mod fields;
mod secrets;

use std::fmt;
use std::path::Path;

use fields::Fields;
pub use secrets::secrets_of_variables;

use crate::devin::Token;

/// Where the API is unless a setting says otherwise.
pub const DEFAULT_API_URL: &str = "https://api.devin.ai";

/// A shorter key could be guessed by trying.
const SHORTEST_REDACT_KEY: usize = 16;

const DEFAULT_LOOKBACK_S: i64 = 600;
const DEFAULT_CONCURRENCY: i64 = 10;

/// What every command answers where there is no key.
pub const NO_KEY: &str = "no API key: give --config FILE, or set DEVIN_API_KEY";

/// The names of all settings.
const SETTINGS: [&str; 13] = [
    "api_token",
    "org_id",
    "org_ids",
    "start_date",
    "end_date",
    "tags",
    "user_ids",
    "api_url",
    "lookback_window",
    "concurrency",
    "report_deletions",
    "redact_fields",
    "redact_key",
];

/// Settings that have been checked.
#[derive(Debug, Clone)]
pub struct Config {
    pub token: Token,
    /// The organization's identifier, verbatim.
    pub org_id: String,
    /// Further organizations that are read in the same run.
    pub org_ids: Vec<String>,
    /// The inclusive lower bound on `created_at`, in Unix seconds; `None` reads everything.
    pub start_date: Option<i64>,
    /// The exclusive upper bound on `created_at`, in Unix seconds; `None` reads up to now.
    pub end_date: Option<i64>,
    /// Only sessions with one of these tags; empty reads all.
    pub tags: Vec<String>,
    /// Only sessions that one of these users has made; empty reads all.
    pub user_ids: Vec<String>,
    /// The API's base address, without a trailing slash.
    pub api_url: String,
    /// How far before a checkpoint an incremental read asks again, in seconds.
    pub lookback_window: i64,
    /// How many requests may be under way at once, 1 to 64.
    pub concurrency: usize,
    /// Whether records say which items of the short lists are gone.
    pub report_deletions: bool,
    /// Fields whose values are not to be written, as they were named: `stream.field`, `field:hash`.
    pub redact_fields: Vec<String>,
    /// What hashes of fields are made with; `None` when nothing can be hashed.
    pub redact_key: Option<Token>,
    /// Names in the file that are no settings.
    pub unknown: Vec<String>,
}

/// What the relay needs: the key, and where to use it.
#[derive(Debug, Clone)]
pub struct Access {
    pub token: Token,
    /// `None` leaves it to the key to tell.
    pub org_id: Option<String>,
    /// The API's base address, without a trailing slash.
    pub api_url: String,
}

impl Access {
    /// Reads the settings as [`Config::load`] does; the organization may be left out. An `endpoint`, the API's base address
    /// and the organization, takes the place of both settings, which are not looked at then. `on_secret` is told of all that
    /// may be a key, before anything else is said, also when the settings are not usable.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn load(
        path: Option<&Path>,
        endpoint: Option<(String, String)>,
        variable: impl Fn(&str) -> Option<String>,
        on_secret: impl Fn(&str),
    ) -> Result<Access, Error> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let mut fields = Fields::read(path, &variable, &on_secret)?;
        let token = fields.required("api_token", "the API key", "DEVIN_API_KEY", &variable);
        fields.check_token(&token);
        let (api_url, org_id) = match endpoint {
            Some((api_url, org_id)) => (api_url, Some(org_id)),
            None => {
                let org_id = fields.text("org_id").filter(|org_id| !org_id.trim().is_empty());
                let org_id = org_id.or_else(|| variable("DEVIN_ORG_ID")).map(|org_id| org_id.trim().to_string());
                fields.check_org_id("org_id", org_id.as_deref().unwrap_or_default());
                (fields.api_url(&variable), org_id)
            }
        };
        fields.finish()?;
        Ok(Access { token: Token::new(&token), org_id, api_url })
    }
}

/// Why there are no settings.
#[derive(Debug, PartialEq, Eq)]
pub enum Error {
    /// Neither a file nor a variable with a key: the command was called wrongly.
    Absent,
    /// The file cannot be read as a JSON object.
    File(String),
    /// Some fields are missing or wrong: one sentence for each.
    Fields(Vec<String>),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Absent => write!(formatter, "{NO_KEY} (and DEVIN_ORG_ID), or use --sandbox"),
            Error::File(problem) => write!(formatter, "{problem}"),
            Error::Fields(problems) => write!(formatter, "the configuration is not usable: {}", problems.join("; ")),
        }
    }
}

impl std::error::Error for Error {}

impl Config {
    /// Reads the settings. A value in the file wins over the environment, which fills in what the file lacks:
    /// `DEVIN_API_KEY`, `DEVIN_ORG_ID`, `DEVIN_API_URL`. `on_secret` is told as [`Access::load`] tells it.
    ///
    /// # Errors
    /// See [`Error`]. All problems with fields are found in one go.
    pub fn load(
        path: Option<&Path>,
        variable: impl Fn(&str) -> Option<String>,
        on_secret: impl Fn(&str),
    ) -> Result<Config, Error> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let mut fields = Fields::read(path, &variable, &on_secret)?;
        let token = fields.required("api_token", "the API key", "DEVIN_API_KEY", &variable);
        let org_id = fields.required("org_id", "the organization ID", "DEVIN_ORG_ID", &variable);
        fields.check_token(&token);
        fields.check_org_id("org_id", &org_id);
        let org_ids = fields.list("org_ids", "a list of organization IDs (org-…)");
        for (place, org_id) in org_ids.iter().enumerate() {
            fields.check_org_id(&format!("org_ids[{place}]"), org_id);
        }
        let start_date = fields.date("start_date");
        let end_date = fields.date("end_date");
        let tags = fields.list("tags", "a list of tags, such as [\"billing\"]");
        let user_ids = fields.list("user_ids", "a list of user IDs");
        let api_url = fields.api_url(&variable);
        let lookback_window = fields.number(
            "lookback_window",
            DEFAULT_LOOKBACK_S,
            0..=315_360_000,
            "a whole number of seconds from 0 to 315360000 (ten years)",
        );
        let concurrency = fields.number("concurrency", DEFAULT_CONCURRENCY, 1..=64, "a whole number from 1 to 64");
        let report_deletions = fields.flag("report_deletions");
        if report_deletions && !org_ids.is_empty() {
            let why = "what one organization lists no more, another may list: leave out one of the two settings";
            fields.problem(format!("report_deletions cannot be used with org_ids: {why}"));
        }
        let redact_fields =
            fields.list("redact_fields", "a list of fields, such as [\"title\", \"session_messages.message\"]");
        let redact_key = fields.redact_key();
        let unknown = fields.unknown();
        fields.finish()?;
        Ok(Config {
            report_deletions,
            redact_fields,
            redact_key,
            unknown,
            token: Token::new(&token),
            org_id: org_id.trim().to_string(),
            org_ids: org_ids.iter().map(|org_id| org_id.trim().to_string()).collect(),
            start_date,
            end_date,
            tags,
            user_ids,
            api_url,
            lookback_window,
            concurrency: usize::try_from(concurrency).unwrap_or(1),
        })
    }

    /// Settings that reach a simulated organization, everything else at its default.
    pub fn of_sandbox(token: &str, org_id: &str, api_url: &str) -> Config {
        Config {
            unknown: Vec::new(),
            token: Token::new(token),
            org_id: org_id.to_string(),
            org_ids: Vec::new(),
            start_date: None,
            end_date: None,
            tags: Vec::new(),
            user_ids: Vec::new(),
            api_url: api_url.to_string(),
            lookback_window: DEFAULT_LOOKBACK_S,
            concurrency: DEFAULT_CONCURRENCY as usize,
            report_deletions: false,
            redact_fields: Vec::new(),
            redact_key: None,
        }
    }

    /// What is allowed and yet likely to be a mistake, a sentence each. `now` is in Unix seconds.
    pub fn warnings(&self, now: i64) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.token.expose().starts_with("cog_") {
            warnings.push(
                "api_token does not start with cog_: keys of the Devin API v3 do (keys that start with apk_ are for its retired versions); the server decides"
                    .to_string(),
            );
        }
        if self.start_date.is_some_and(|start| start > now) {
            warnings.push("start_date is in the future, so no session can be in range yet".to_string());
        }
        if self.end_date.zip(self.start_date).is_some_and(|(end, start)| end <= start) {
            warnings.push("end_date is not after start_date, so no session can be in range".to_string());
        }
        for name in &self.unknown {
            let meant = similar(name, &SETTINGS).map(|known| format!("; did you mean {known:?}?")).unwrap_or_default();
            warnings.push(format!("the configuration has an unknown setting {name:?}, which is ignored{meant}"));
        }
        warnings
    }
}

/// The name among `known` that somebody may have meant; `None` when none is near.
pub fn similar<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let likeness = |known: &&str| strsim::jaro_winkler(&name.to_lowercase(), known);
    known.iter().copied().filter(|known| likeness(known) > 0.8).max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn a_name_that_is_nearly_right_is_recognized() {
        assert_eq!(similar("api_key", &SETTINGS), Some("api_token"));
        assert_eq!(similar("Org-ID", &SETTINGS), Some("org_id"));
        assert_eq!(similar("sesions", &["sessions", "secrets"]), Some("sessions"));
        assert_eq!(similar("colour", &SETTINGS), None);
    }

    fn check_with(json: &str, environment: &[(&str, &str)]) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), json).unwrap();
        let path = (!json.is_empty()).then(|| file.path());
        let variable =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string());
        match Config::load(path, variable, |_| ()) {
            Ok(config) => {
                let start = config.start_date;
                format!(
                    "key of {} characters, {}, {start:?}, {}, {} s, {} at once; {:?}",
                    config.token.expose().len(),
                    config.org_id,
                    config.api_url,
                    config.lookback_window,
                    config.concurrency,
                    config.warnings(NOW),
                )
            }
            Err(error) => format!("{error}").replace(&file.path().display().to_string(), "config.json"),
        }
    }

    fn check(json: &str) -> String {
        check_with(json, &[])
    }

    fn with(field: &str) -> String {
        check(&format!(r#"{{"api_token":"cog_s3cr3t","org_id":"org-1",{field}}}"#))
    }

    #[test]
    fn a_file_a_variable_or_both_make_settings() {
        insta::assert_snapshot!(check(
            r#"{"api_token":" cog_s3cr3t\n","org_id":"org-1","__injected":1,"start_date":null}"#
        ), @"key of 10 characters, org-1, None, https://api.devin.ai, 600 s, 10 at once; []");
        insta::assert_snapshot!(check_with(
            "",
            &[("DEVIN_API_KEY", "cog_x"), ("DEVIN_ORG_ID", "org_2"), ("DEVIN_API_URL", "http://127.0.0.1:8080/")]
        ), @"key of 5 characters, org_2, None, http://127.0.0.1:8080, 600 s, 10 at once; []");
        insta::assert_snapshot!(check_with(
            r#"{"org_id":"org-file"}"#,
            &[
                ("DEVIN_API_KEY", "cog_env"),
                ("DEVIN_ORG_ID", "org-env"),
                ("DEVIN_API_URL", "https://api.acme.devinenterprise.com/v3/")
            ]
        ), @"key of 7 characters, org-file, None, https://api.acme.devinenterprise.com, 600 s, 10 at once; []");
    }

    #[test]
    fn every_problem_is_named_at_once_and_no_value_is_quoted() {
        insta::assert_snapshot!(check(
            r#"{"api_token":7,"org_id":"","start_date":"2024-1-1","api_url":"http://api.devin.ai","concurrency":0,"lookback_window":"x"}"#
        ), @r#"the configuration is not usable: api_token must be a string, but is a number; org_id is empty: give the organization ID; start_date must be a date in the form YYYY-MM-DDTHH:MM:SSZ, in UTC, but is "2024-1-1"; api_url must begin with https:// (http:// is allowed for this machine only, because it would show the key); lookback_window must be a whole number of seconds from 0 to 315360000 (ten years); concurrency must be a whole number from 1 to 64"#);
        insta::assert_snapshot!(check("{}"), @"the configuration is not usable: api_token is missing: give the API key there or in DEVIN_API_KEY; org_id is missing: give the organization ID there or in DEVIN_ORG_ID");
        insta::assert_snapshot!(check(r#"{"api_token":"  ","org_id":"cog_s3cr3t"}"#), @"the configuration is not usable: api_token is empty: give the API key; org_id is an API key: it must be the organization ID (org-…)");
        for key in ["cog_…", "cog_a\u{a0}b", "\u{feff}cog_ab", "cog_a\tb"] {
            let said = check(&serde_json::json!({"api_token": key, "org_id": "org-1"}).to_string());
            assert!(said.contains("characters that no key has"), "{key:?}: {said}");
        }
        insta::assert_snapshot!(check(r#"{"api_token":"cog_s3cr3t","org_id":"https://app.devin.ai/org/acme","api_url":"https://cog_s3cr3t.example","concurrency":3.5}"#), @"the configuration is not usable: org_id is a URL: it must be the organization ID (org-…); api_url holds an API key: give the API's address; concurrency must be a whole number from 1 to 64");
        insta::assert_snapshot!(with(r#""concurrency":10.0,"lookback_window":6e2"#), @"key of 10 characters, org-1, None, https://api.devin.ai, 600 s, 10 at once; []");
        insta::assert_snapshot!(check(" \n"), @"the configuration config.json is empty");
        insta::assert_snapshot!(check(r#"{"api_token":"cog_a b","org_id":".."}"#), @"the configuration is not usable: api_token has spaces or other characters that no key has: copy the key again; org_id is not an organization ID (org-…)");
    }

    #[test]
    fn no_problem_quotes_the_key() {
        for key in ["Zq7wz3kfH5x2mt9Vbn4c8dj6ry1lsg0pa", "cog_q7wz3kfh5x2mt9vbn4c8dj6ry1lsg0pa"] {
            for before in ["", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx "] {
                let text = format!("{before}{key}");
                let settings = serde_json::json!({"api_token": key, "org_id": "o", "start_date": text});
                let said = check(&settings.to_string());
                assert!(said.contains("start_date must") && !said.contains(&key[..8]), "{said}");
                let said = check(&serde_json::json!({"api_token": key, "org_id": "o", text: 1}).to_string());
                assert!(said.contains("unknown setting") && !said.contains(&key[..8]), "{said}");
            }
        }
    }

    #[test]
    fn no_settings_at_all_is_a_usage_matter_and_a_broken_file_is_not() {
        insta::assert_snapshot!(check(""), @"no API key: give --config FILE, or set DEVIN_API_KEY (and DEVIN_ORG_ID), or use --sandbox");
        let pasted = Config::load(Some(Path::new(r#"{"api_token":"cog_s3cr3t"}"#)), |_| None, |_| ()).unwrap_err();
        insta::assert_snapshot!(pasted, @"--config takes a file name, not the settings themselves");
        let folder = tempfile::Builder::new().prefix("cog_").tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), r#"{"api_token":"cog_x","org_id":"org-1"}"#).unwrap();
        assert!(Config::load(Some(&folder.path().join("config.json")), |_| None, |_| ()).is_ok());
        insta::assert_snapshot!(check("[]"), @"the configuration config.json must be a JSON object, but is a list");
        insta::assert_snapshot!(check("{\"api_token\":\n cog_s3cr3t}"), @"the configuration config.json is not valid JSON (line 2, column 2)");
        assert!(matches!(Config::load(Some(Path::new("/does/not/exist")), |_| None, |_| ()), Err(Error::File(_))));
    }

    #[test]
    fn a_start_date_has_one_form() {
        insta::assert_snapshot!(with(r#""start_date":"2024-02-29T00:00:00Z""#), @"key of 10 characters, org-1, Some(1709164800), https://api.devin.ai, 600 s, 10 at once; []");
        insta::assert_snapshot!(with(r#""start_date":"""#), @"key of 10 characters, org-1, None, https://api.devin.ai, 600 s, 10 at once; []");
        insta::assert_snapshot!(with(r#""start_date":"2099-01-01T00:00:00Z""#), @r#"key of 10 characters, org-1, Some(4070908800), https://api.devin.ai, 600 s, 10 at once; ["start_date is in the future, so no session can be in range yet"]"#);
        for text in [
            "2023-02-29T00:00:00Z",
            "2024-01-01",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.000Z",
            "2024-01-01 00:00:00Z",
            "2024-01-01T00:00:00+01:00",
            "2024-1-01T00:00:00Z",
            " ",
        ] {
            let said = with(&format!(r#""start_date":"{text}""#));
            assert_eq!(
                said,
                format!(
                    "the configuration is not usable: start_date must be a date in the form YYYY-MM-DDTHH:MM:SSZ, in UTC, but is {text:?}"
                ),
                "{text:?}"
            );
        }
    }
}
