//! Where a command of the relay works: the settings or a simulated organization, the client, and whose key it is.

use tokio::sync::watch::Receiver;

use super::fail;
use super::options::AccessOptions;
use crate::airbyte::Level;
use crate::cli::{Exit, level, usage, variable};
use crate::config::{self, Access};
use crate::devin::retry::Policy;
use crate::devin::{Client, Settings, Token, endpoint};
use crate::output::Output;
use crate::relay::error_report::{Audience, Code, ErrorReport};
use crate::relay::event::EventKind;
use crate::relay::organization::{self, Identified};
use crate::relay::report::Presenter;
use crate::sandbox::{self, Sandbox};

/// What may be done without a key.
pub const OR_SANDBOX: &str = ", or use --sandbox";

/// How long a simulated session lives, in seconds.
pub const SANDBOX_SESSION_S: f64 = 4.0;

/// A client, the organization if it is configured, and the sandbox that must live as long as they are used.
pub struct Place {
    pub client: Client,
    pub org_id: Option<String>,
    _sandbox: Option<Sandbox>,
}

/// The client that the settings lead to, or a simulated organization where none were `loaded`.
pub async fn place(
    access: &AccessOptions,
    loaded: Option<Loaded>,
    output: &Output,
    shown: &Presenter,
) -> Result<Place, Exit> {
    let (settings, sandbox) = if let Some(loaded) = loaded {
        (usable(access, loaded, output, shown)?, None)
    } else {
        let options = sandbox::Options { session_seconds: SANDBOX_SESSION_S, ..sandbox::Options::default() };
        let sandbox = match Sandbox::start(options).await {
            Ok(sandbox) => sandbox,
            Err(error) => {
                return Err(fail(shown, Code::Sandbox, &format!("cannot serve the sandbox on this machine: {error}")));
            }
        };
        let (token, org_id) = (Token::new(sandbox::TOKEN), Some(sandbox::ORG_ID.to_string()));
        output.hide(&token);
        (Access { token, org_id, api_url: sandbox.url() }, Some(sandbox))
    };
    let client = Client::new(Settings {
        api_url: settings.api_url,
        token: settings.token,
        policy: Policy::brief(),
        concurrency: 4,
    });
    Ok(Place { client, org_id: settings.org_id, _sandbox: sandbox })
}

/// Settings, or why there are none.
pub type Loaded = Result<Access, Unusable>;

/// Why settings cannot be used.
pub enum Unusable {
    /// There are none: what to do about it.
    Absent(String),
    Endpoint(String),
    Settings(config::Error),
}

/// Reads the settings, and hides their key in all that is printed from now on. `otherwise` is what else may be done where
/// there are none.
pub fn load(access: &AccessOptions, otherwise: &str, output: &Output) -> Loaded {
    let on_secret = |secret: &str| output.hide(&Token::new(secret));
    let given = access.endpoint.as_deref().map(endpoint).transpose();
    // First, so that the key is known also where the endpoint is not usable.
    let address = given.as_ref().ok().cloned().flatten();
    let loaded = Access::load(access.config.as_deref(), address, variable, on_secret);
    given.map_err(|problem| Unusable::Endpoint(problem.to_string()))?;
    loaded.map_err(|error| match error {
        config::Error::Absent => Unusable::Absent(format!("{}{otherwise}", config::NO_KEY)),
        error => Unusable::Settings(error),
    })
}

/// The settings, unless there are none, which is then said.
fn usable(access: &AccessOptions, loaded: Loaded, output: &Output, shown: &Presenter) -> Result<Access, Exit> {
    let settings = match loaded {
        Ok(settings) => settings,
        Err(Unusable::Endpoint(problem)) => {
            return Err(fail(shown, Code::BadEndpoint, &format!("--endpoint {problem}")));
        }
        Err(Unusable::Absent(problem)) => return Err(usage(output, &problem)),
        Err(Unusable::Settings(error)) => return Err(fail(shown, Code::BadSettings, &error.to_string())),
    };
    if level(&access.common) <= Level::Debug {
        output.note(&format!("the API is at {}", settings.api_url));
    }
    Ok(settings)
}

/// Verifies the key and finds the organization, unless asked to stop, which is answered with the words `stopped_words`.
pub async fn identify(
    place: &Place,
    shown: &Presenter,
    mut stop: Receiver<Option<i32>>,
    stopped_words: &str,
) -> Result<Identified, Exit> {
    let stopped = async {
        match stop.wait_for(Option::is_some).await {
            Ok(signal) => signal.unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    };
    let identified = tokio::select! {
        biased;
        signal = stopped => {
            shown.tell(EventKind::note(stopped_words), None);
            return Err(Exit::Signal(signal));
        }
        identified = organization::find(&place.client, place.org_id.as_deref(), Audience::Settings) => identified,
    };
    let identified = identified.map_err(|ErrorReport { code, message }| fail(shown, code, &message))?;
    if let Some(warning) = &identified.warning {
        shown.tell(EventKind::warning(warning.clone()), None);
    }
    Ok(identified)
}
