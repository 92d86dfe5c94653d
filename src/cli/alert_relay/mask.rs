//! The options that name secrets, so that they are never sent or shown.

use anyhow::{Context as _, anyhow, bail};

use super::options::Input;
use crate::output::Output;
use crate::relay::event::EventKind;
use crate::relay::masks::{Masks, is_name_of_variable, masks};
use crate::relay::report::Presenter;

/// The largest file of secrets that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// From now on, the output knows what `--mask-env` and `--mask-file` name.
///
/// # Errors
/// A variable or file that is not there or holds no secrets: without them, they would be sent.
pub fn mask(input: &Input, shown: &Presenter, output: &Output) -> anyhow::Result<()> {
    for name in &input.mask_env {
        let Some(value) = std::env::var_os(name) else {
            if is_name_of_variable(name) {
                bail!("--mask-env names an environment variable that is not set: {name}");
            }
            bail!("--mask-env names an environment variable that is not set; it takes a name, not the secret itself");
        };
        let masks =
            masks(value.as_encoded_bytes()).map_err(|problem| anyhow!("--mask-env: the variable {name} {problem}"))?;
        hide(masks, &format!("--mask-env: the variable {name}"), shown, output);
    }
    for path in &input.mask_file {
        let name = path.display();
        let read = || -> std::io::Result<Vec<u8>> {
            use std::io::Read as _;
            let mut bytes = Vec::new();
            std::fs::File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().with_context(|| format!("cannot read the secrets to mask in {name}"))?;
        if bytes.len() as u64 > LARGEST {
            bail!("--mask-file: {name} is larger than 1 MiB");
        }
        let masks = masks(&bytes).map_err(|problem| anyhow!("--mask-file: {name} {problem}"))?;
        hide(masks, &format!("--mask-file: {name}"), shown, output);
    }
    Ok(())
}

fn hide(masks: Masks, of: &str, shown: &Presenter, output: &Output) {
    output.hide_all(|redactor| masks.secrets.iter().for_each(|secret| redactor.add_whole(secret)));
    for warning in masks.warnings {
        shown.tell(EventKind::warning(format!("{of} {warning}")), None);
    }
}
