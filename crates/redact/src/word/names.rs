//! Which names keep secrets, and of what kind, by the words they are made of. Pure; the words are tables.

use super::shape::is_version;
use super::tongue;

/// What a name says about its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A secret if it looks like one: `STORAGE_KEY`, `salt`, `session_id`.
    Opaque,
    /// A secret, unless it is words: `token`, `credentials`, `STRIPE_KEY`.
    Token,
    /// A secret, whatever it looks like, unless it is a remark: `password`, `client_secret`.
    Password,
    /// Many plain words: `mnemonic`.
    Phrase,
    /// The value of an `Authorization` header.
    Authorization,
    /// The value of a `Cookie` header.
    Cookie,
}

/// A name that matters.
pub(crate) struct Name {
    pub kind: Kind,
    /// The words of the name as one, in lower case, without what may follow: `dbpassword`.
    pub core: String,
    /// Whether it names several: `passwords`.
    pub is_plural: bool,
}

/// How the names of functions end that look up a setting by its name, with a value behind for where there is none.
const LOOKING_UP: &str = "hiera lookup getenv getenvordefault env environ.get config.get settings.get get_option getproperty \
    env.fetch config.fetch getstring default_env envstr env.str";

/// Words with which the names of functions begin that fetch what they are given the name of.
const FETCHING: &str = "get getenv getpass fetch read load lookup find retrieve resolve require ask prompt input header param query cookie";

/// How the names of functions end that take the name of a user, and the password after it.
const SIGNING_IN: &str = "connect __construct sequelize getconnection createconnection connection login logon signin attempt auth \
    authenticate bind imap_open credentials credential pool pdo password createuser adduser \
    authprovider authtokens.basic";

/// Ends of names whose values are secrets. These tables are words with blanks between.
const PASSWORDS: &str = "password ssword passwd passphrase passcode passw0rd p4ssword p4ssw0rd pa55word pa55w0rd passwrd pasword passowrd \
    passwrod passwodr passwod passwoord passwordd passwprd passwird passeord passwors pswd pwd authtok passkey passw bindpw rootpw userpw dbpw \
    adminpw pass apikey accesskey secretkey seckey privatekey privatemac presharedkey wpakey wpa2key wpa3key wifikey sharedkey sharedaccesskey \
    encryptionkey masterkey signingkey clientkeydata clientsecret sharedsecret secretvalue secretstring secretbase connectionstring \
    securityanswer secretanswer questionanswer challengeanswer \
    dockerconfigjson dockercfg oauth2bearer keycontent requirepass masterauth contribsyscom passwort kennwort motdepasse senha contraseña \
    contrasena wachtwoord lösenord lösenordet passord passordet adgangskode adgangskoden kodeord kodeordet";

/// Ends of names whose values are secrets unless they are words.
const TOKENS: &str = "secret token clave appkey accesskeyid credential cleartext signature phpsessid jsessionid gitlabsession secretid connectsid \
    aspnetsessionid invitecode unlockcode logincode verificationcode recoverycode backupcode otpcode mfacode 2facode timecode \
    setupkey authenticatorkey passhash appskey nwkkey nwkskey nwksenckey nwksintkey localkey";

/// Ends of names whose values are secrets only if they look like some.
const OPAQUE: &str = "plaintext sessionid sessid aspnetcorecookie samlresponse samlrequest codeverifier xhoneycombteam snmpcommunity sonarlogin sasurl securitycode zugangscode türcode tuercode \
    slacksigning connstr keyfile pskfile jenkinscrumb mfaseed totpseed otpseed 2faseed";

/// Words before `code` that make it one that opens something: `door_code`, `accessCode`. Codes of errors, states and places have others.
const OPENING: &str = "door gate alarm lock access activation reset verify setup pairing entrance keypad disarm garage \
    locker lockbox keybox";

/// Last words of names that say secret only where they stand by themselves: `bind_pw`, `GH_PAT`, `salt`.
const WORDS: [(&str, Kind); 23] = [
    ("mdp", Kind::Password),
    ("pw", Kind::Password),
    ("psw", Kind::Password),
    ("psk", Kind::Password),
    ("cred", Kind::Token),
    ("creds", Kind::Token),
    ("auth", Kind::Opaque),
    ("bearer", Kind::Opaque),
    ("otp", Kind::Token),
    ("pin", Kind::Opaque),
    ("cvv", Kind::Opaque),
    ("cvc", Kind::Opaque),
    ("pat", Kind::Opaque),
    ("sk", Kind::Opaque),
    ("sas", Kind::Opaque),
    ("jwt", Kind::Opaque),
    ("csrf", Kind::Opaque),
    ("xsrf", Kind::Opaque),
    ("salt", Kind::Opaque),
    ("community", Kind::Opaque),
    ("pepper", Kind::Opaque),
    ("kek", Kind::Opaque),
    ("hmac", Kind::Opaque),
];

/// Names that keep secrets as parameters of addresses, in cookies, or before an equals sign.
const PARAMETERS: &str = "key sig code auth session sid hapikey appid";

/// Ends of names that keep many plain words, which stand for a key.
const PHRASES: &str = "mnemonic seedphrase recoveryphrase";

/// Words before `key` that make it a secret one, also where both are written as one: `STRIPE_KEY`, `x-auth-key`.
const KEY_OWNERS: &str = "account admin aes api app auth authentication authorization aws azure client cloudflare consumer datadog deploy enc encryption fernet functions \
    github gitlab heroku hmac ingest integration jwt licence license mailgun master openai anthropic pgp private routing \
    rsa secret sendgrid sentry service session shared signing slack ssh stripe subscription twilio unseal vault webhook";

/// Names of maps whose `key` is a secret.
const MAPS_OF_KEYS: &str = "jwt hmac signing encryption jwtsettings jwtoptions";

/// Words before `key` that make it the name of a thing, however random that looks.
const KEY_OF_THINGS: &str = "aggreg aggregation alert alias object cache class cluster column composite config correlation cycle data dedup dedupe \
    deduplication document entity event feature file fingerprint flag foreign group hash hot i18n idempotency \
    incident index issue item job label lock lookup map message metric order partition primary project public \
    range record registry row s3 shard site sort tag trace translation unique websocket";

/// Words that may follow the one that says secret: `DB_PASSWORD_PROD`, `password_confirmation`, `SECRET_KEY_BASE`.
const SUFFIXES: &str = "again base base64 confirm confirmation current dev development live new old preprod previous primary prod \
    production qa repeat secondary stage staging test uat value hash sha1 sha2 sha256 sha512 md5 hex \
    alt neu alte neue antigua nueva antiga nova ancien nouveau vecchia nuova";

/// Names that end like one that keeps a secret, and keep none.
const HARMLESS: &str = "askpass chpasswd bypass compass encompass trespass firstpass secondpass publickeytoken unexpectedtoken canceltoken \
    cancellationtoken oldpwd maxtoken mintoken clientrequesttoken idempotencytoken";

/// Names of cursors, which say where a list goes on; a variable of the environment is none.
const CURSORS: &str = "nexttoken nextpagetoken pagetoken continuationtoken synctoken";

/// Words that make a name of `code` or `phrase` a secret one, and of `key` an owned one, where they stand a blank before.
const BEFORE: &[(&str, &str)] = &[
    ("api", "key"),
    ("license", "key"),
    ("licence", "key"),
    ("unseal", "key"),
    ("access", "key"),
    ("secret", "key"),
    ("private", "key"),
    ("encryption", "key"),
    ("shared", "key"),
    ("wpa", "key"),
    ("wpa2", "key"),
    ("wpa3", "key"),
    ("wifi", "key"),
    ("signing", "key"),
    ("setup", "key"),
    ("hmac", "key"),
    ("aes", "key"),
    ("master", "key"),
    ("authenticator", "key"),
    ("verification", "code"),
    ("login", "code"),
    ("security", "code"),
    ("recovery", "code"),
    ("backup", "code"),
    ("unlock", "code"),
    ("invite", "code"),
    ("otp", "code"),
    ("mfa", "code"),
    ("2fa", "code"),
    ("time", "code"),
    ("shared", "secret"),
    ("seed", "phrase"),
    ("recovery", "phrase"),
    ("de", "passe"),
    ("totp", "seed"),
    ("otp", "seed"),
    ("mfa", "seed"),
    ("2fa", "seed"),
    // As `netsh` shows the key of a wireless network.
    ("key", "content"),
];

/// What a key is whose owner is the map that it is in: `"Jwt": {"Key": "…"}`, `Jwt:Key`.
fn within_owner(before: &str, name: &str) -> Option<String> {
    let map = before.trim_end_matches(['"', '\'']).trim_end_matches(['{', ' ', '\n']);
    let owner = map.strip_suffix([':', '=']).filter(|_| name == "key")?.trim_end_matches(['"', '\'', ' ']);
    let owner = owner.rsplit(|c: char| !c.is_ascii_alphanumeric()).next()?.to_ascii_lowercase();
    MAPS_OF_KEYS.split(' ').any(|known| known == owner).then(|| format!("{owner}{name}"))
}

/// The secret word that `text` and the one before it make: `API key`, `seed phrase`.
pub(crate) fn spaced(before: &str, name: &str) -> Option<String> {
    let name = tongue::lower(name);
    let second = name.strip_suffix('s').unwrap_or(&name);
    if let Some(password) = tongue::spaced(before, &name) {
        return Some(password);
    }
    if let Some(owned) = within_owner(before, &name) {
        return Some(owned);
    }
    let known = BEFORE.iter().any(|(_, known)| *known == second);
    let before = before.strip_suffix([' ', '-', '_']).filter(|_| known)?;
    let first = BEFORE.iter().filter(|(_, known)| *known == second).map(|(first, _)| *first).find(|first| {
        let word = before.len().checked_sub(first.len()).and_then(|at| before.get(at..));
        word.is_some_and(|word| word.eq_ignore_ascii_case(first))
    })?;
    Some(if first == "de" { "motdepasse".to_string() } else { format!("{first}{name}") })
}

impl Name {
    /// What `name` keeps, if it keeps secrets by itself.
    pub fn of(name: &str) -> Option<Name> {
        let words = words(name);
        let core = core(&words);
        let is_cursor = !is_variable(name) && CURSORS.split(' ').any(|end| core.ends_with(end));
        if let Some(kind) = kind(&words, &core).filter(|_| !is_cursor) {
            return Some(Name { kind, core, is_plural: false });
        }
        let last = words.last()?;
        let singular = last.strip_suffix('s').filter(|word| word.len() > 2 && !word.ends_with('s'))?;
        let mut words = words.clone();
        *words.last_mut()? = singular.to_string();
        let core = self::core(&words);
        let kind = kind(&words, &core).filter(|kind| *kind != Kind::Opaque || core.ends_with("cookie"))?;
        // Credentials are a plural that names one.
        let is_plural = core.as_str() != "credential" && !core.ends_with("credential");
        Some(Name { kind, core, is_plural })
    }

    /// What `name` keeps as a parameter of an address, in a cookie or before an equals sign.
    pub fn of_parameter(name: &str) -> Option<Name> {
        let core = core(&words(name));
        let is_known = PARAMETERS.split(' ').any(|known| known == core)
            || core.ends_with("session") && core.len() > "session".len();
        is_known.then_some(Name { kind: Kind::Opaque, core, is_plural: false })
    }
}

/// Whether a name is one of a variable of the environment: `SYNC_TOKEN`.
pub(crate) fn is_variable(name: &str) -> bool {
    name.contains('_') && !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn kind(words: &[String], core: &str) -> Option<Kind> {
    // What Terraform has made up: `random_password.db.result`.
    if words.len() > 2 && words[..2].concat() == "randompassword" && words.ends_with(&["result".to_string()]) {
        return Some(Kind::Password);
    }
    let ends = |endings: &str| endings.split(' ').any(|ending| core.ends_with(ending));
    // `isSecret=true`, `has_password: 1`
    let asks = words.len() > 1 && ["is", "has"].contains(&words[words.len() - 2].as_str()) || core == "issecret";
    if ends(HARMLESS) || asks {
        return None;
    }
    if core.ends_with("authorization") {
        return Some(Kind::Authorization);
    }
    if core.ends_with("cookie") && !core.ends_with("aspnetcorecookie") {
        return Some(Kind::Cookie);
    }
    if ends(PHRASES) {
        return Some(Kind::Phrase);
    }
    if core == "pass" {
        // Test results have it, too.
        return Some(Kind::Token);
    }
    // As OpenWrt sets the key of a network: `wireless.radio0.key='…'`.
    let is_of_network = words.len() > 2 && words[0] == "wireless" && words[words.len() - 1] == "key";
    if is_of_network || ends(PASSWORDS) || tongue::is_password(core) {
        return Some(Kind::Password);
    }
    let is_doubtful = tongue::is_doubtful(core);
    if ends(TOKENS) || owner(core).is_some() || is_doubtful && tongue::is_of_other_letters(core) {
        return Some(Kind::Token);
    }
    if ends(OPAQUE) || is_doubtful {
        return Some(Kind::Opaque);
    }
    let last = words.last()?.trim_end_matches(|c: char| c.is_ascii_digit());
    let of_code = last.strip_suffix("code").map(|owner| match words.len().checked_sub(2) {
        Some(before) if owner.is_empty() => words[before].as_str(),
        _ => owner,
    });
    if of_code.is_some_and(|owner| OPENING.split_ascii_whitespace().any(|known| known == owner)) {
        return Some(Kind::Opaque);
    }
    if last == "seed" {
        return Some(Kind::Phrase);
    }
    // A table's sort key is called `sk`, too.
    let is_named = last != "sk" || words.len() > 1;
    if let Some((_, kind)) = WORDS.iter().find(|(word, _)| *word == last && is_named) {
        return Some(*kind);
    }
    // `FERNET_KEY`, `x-functions-key`: any key that is not known to be a thing's.
    let owner = words.len().checked_sub(2).map(|before| words[before].as_str())?;
    (last == "key" && owner.len() > 1 && !is_of_thing(owner)).then_some(Kind::Opaque)
}

/// Whose key a name says that it is.
pub(crate) fn owner(core: &str) -> Option<&'static str> {
    let before = core.strip_suffix("key")?;
    KEY_OWNERS.split(' ').find(|owner| before.ends_with(owner))
}

/// Words that begin the names of options without a value, which say what is done about a secret: `--ask-vault-pass`.
const WITHOUT_VALUE: &str = "ask no show print prompt hide skip";

/// Whether a key that is called so is the name of a thing.
pub(crate) fn is_of_thing(owner: &str) -> bool {
    owner == "request" || KEY_OF_THINGS.split_ascii_whitespace().any(|thing| thing == owner)
}

/// Whether an option that is named like a secret takes none: `--ask-pass`, `--no-password`.
pub(crate) fn takes_none(option: &str) -> bool {
    let name = option.trim_start_matches('-');
    let first = name.split(['-', '_']).next().unwrap_or_default();
    let is_verb = WITHOUT_VALUE.split(' ').any(|verb| verb == first);
    is_verb && first.len() < name.len() || ["askpassword", "nopass", "nopassword"].contains(&name)
}

/// Whether the function `name` looks up a setting by its name.
pub(crate) fn looks_up(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    LOOKING_UP.split_ascii_whitespace().any(|end| name.ends_with(end))
}

/// Whether the function whose path is `path` fetches what its argument names: `request.headers.get`, `vault.readSecret`.
pub(crate) fn fetches(path: &str) -> bool {
    let last = path.rsplit(['.', ':']).next().unwrap_or_default();
    let goes_on = |rest: &str| rest.is_empty() || rest.starts_with(|c: char| c == '_' || c.is_ascii_uppercase());
    let is_verb = |verb: &str| {
        last.get(..verb.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(verb)) && goes_on(&last[verb.len()..])
    };
    FETCHING.split_ascii_whitespace().any(is_verb) || looks_up(path)
}

/// Whether the function `name` takes the name of a user, and the password after it.
pub(crate) fn signs_in(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SIGNING_IN.split_ascii_whitespace().any(|end| name.ends_with(end))
}

/// The words of a name in lower case, without those that may follow the one that says secret.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut was_lower = false;
    for c in name.chars() {
        let is_separator = "-_.".contains(c);
        if is_separator || (was_lower && c.is_uppercase()) || words.is_empty() {
            words.push(String::new());
        }
        was_lower = c.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| !is_separator) {
            word.extend(tongue::small(c));
        }
    }
    words.retain(|word| !word.is_empty());
    // `TOKEN_V2`, but not `db-creds-v2`, an object.
    let may_be_version = !name.contains('-');
    while words.len() > 1 && words.last().is_some_and(|word| is_suffix(word) || may_be_version && is_version(word)) {
        words.pop();
    }
    words
}

/// Characters that link a name with its value in Chinese, Japanese and Korean.
pub(crate) const MEANS_IS: &str = "是为為は는은";

/// The words of a name as one, without a number behind.
fn core(words: &[String]) -> String {
    let joined = words.concat();
    // In Chinese and Japanese, a word that links it with its value may follow at once.
    tongue::unlinked(joined.trim_end_matches(|c: char| c.is_ascii_digit()), MEANS_IS).to_string()
}

fn is_suffix(word: &str) -> bool {
    SUFFIXES.split_ascii_whitespace().any(|suffix| suffix == word) || word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The ends of all names that matter, for a quick look at every word of a text.
pub(crate) fn ends() -> impl Iterator<Item = &'static str> {
    let words = WORDS.iter().map(|(word, _)| *word);
    let tables = [PASSWORDS, TOKENS, OPAQUE, PARAMETERS, PHRASES, "key session authorization cookie value result"];
    let tongues = tongue::names().filter_map(|name| name.rsplit('_').next());
    let tables = tables.into_iter().flat_map(|table| table.split(' ')).chain(words).chain(tongues);
    tables.chain(BEFORE.iter().map(|(_, second)| *second))
}

/// Every name of the tables, as a name with that end: for tests over all of them.
#[cfg(test)]
pub(crate) fn examples() -> impl Iterator<Item = String> {
    let owned = KEY_OWNERS.split(' ').map(|owner| format!("{owner}_key"));
    let words = WORDS.iter().map(|(word, _)| format!("db_{word}"));
    let names = [PASSWORDS, TOKENS, OPAQUE].into_iter().flat_map(|table| table.split(' ')).map(ToString::to_string);
    let tongues = tongue::names().map(ToString::to_string);
    names.chain(owned).chain(words).chain(tongues).chain(["fernet_key".to_string()])
}
