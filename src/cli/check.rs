//! The commands `check` and `discover`: what a key may read, and which streams there are.

use clap::{Args, ValueEnum};

use super::{Connection, Exit, FAILURE, SUCCESS, client, level, load, place, usage};
use crate::airbyte::message::CheckStatus;
use crate::airbyte::{FailureType, Level};
use crate::config;
use crate::devin::retry::Policy;
use crate::output::Output;
use crate::source::context::Context;
use crate::source::emit::{Emitter, Format, now_ms};
use crate::source::{check, discover as catalog};

pub const HELP: &str = "\
Examples:
  source-devin-ai check --sandbox --format text
  DEVIN_API_KEY=cog_… DEVIN_ORG_ID=org-… source-devin-ai check
  source-devin-ai check --config config.json";

#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    connection: Connection,
    /// Airbyte messages, or text for people, which exits with 1 if the settings do not work
    #[arg(long, value_name = "FORM", default_value = "airbyte")]
    format: CheckForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CheckForm {
    Airbyte,
    Text,
}

/// Tries the settings.
pub async fn run(arguments: &Check, output: &Output) -> Exit {
    let connection = &arguments.connection;
    let format = if arguments.format == CheckForm::Text { Format::Records } else { Format::Airbyte };
    let emitter = Emitter::new(output.clone(), format, level(&connection.common));
    let place = match place(connection, output).await {
        Ok(place) => place,
        Err(config::Error::Absent) => return usage(output, &config::Error::Absent.to_string()),
        Err(error) if arguments.format == CheckForm::Text => {
            emitter.log(Level::Error, &error.to_string());
            return FAILURE;
        }
        Err(error @ config::Error::File(_)) => {
            emitter.error(&error.to_string(), FailureType::ConfigError, None);
            return FAILURE;
        }
        Err(error @ config::Error::Fields(_)) => {
            emitter.connection(CheckStatus::Failed, Some(&error.to_string()));
            return SUCCESS;
        }
    };
    for warning in place.config.warnings(now_ms() / 1000) {
        emitter.log(Level::Warn, &warning);
    }
    let context = Context::new(client(&place.config, Policy::brief()), emitter, &place.config);
    let verdict = check::check(&context).await;
    let is_answer = verdict.say(&context.emitter);
    match arguments.format {
        CheckForm::Airbyte if is_answer => SUCCESS,
        CheckForm::Text if verdict.is_usable() => {
            output.line(&verdict.text());
            SUCCESS
        }
        CheckForm::Text if is_answer => {
            context.emitter.log(Level::Error, &verdict.text());
            FAILURE
        }
        CheckForm::Airbyte | CheckForm::Text => FAILURE,
    }
}

/// The catalog is the same for everybody; a settings file that cannot be read is still a mistake worth telling.
pub fn discover(connection: &Connection, output: &Output) -> Exit {
    let emitter = Emitter::new(output.clone(), Format::Airbyte, level(&connection.common));
    if let Some(path) = &connection.config
        && let Err(error @ config::Error::File(_)) = load(Some(path), output)
    {
        emitter.error(&error.to_string(), FailureType::ConfigError, None);
        return FAILURE;
    }
    output.line_as_it_is(&catalog());
    SUCCESS
}
