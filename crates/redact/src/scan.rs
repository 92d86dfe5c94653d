//! Finds secrets by their shape, from left to right, looking at every byte a bounded number of times. Pure.

use std::ops::Range;
use std::sync::LazyLock;

use crate::known::{address, coded, forms, hashes, jwk, partner, pem, prefix, ticket};
use crate::pair::{cells, header, named, table, variable};
use crate::program::{
    argument, block, call, command, devices, directive, field, files, issued, keyed, manifest, oracle, printed,
    protocol, served, statement, tools, traced,
};
use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, run};
use crate::text::reading::Reading;
use crate::told::{
    ahead, assigned, change, chat, codes, community, factory, given, hint, keys, passing, purpose, recovery, said,
    second,
};

/// What looks at one place of a text, and answers with the secret that is told by it; and the bytes at which it can begin,
/// where none stand for all.
type Rule = (&'static [u8], Look);
type Look = fn(Place<'_>) -> Option<Range<usize>>;

/// The rules that may find something at a byte, for every byte, in the order of their tables.
type ByFirst = LazyLock<[Vec<Look>; 256]>;

/// Sorts rules by the bytes at which they can begin: most rules are never asked at most places.
fn by_first(tables: &[&[Rule]]) -> [Vec<Look>; 256] {
    let begins =
        |rule: &&Rule, byte: usize| rule.0.is_empty() || rule.0.iter().any(|first| usize::from(*first) == byte);
    std::array::from_fn(|byte| {
        tables.iter().copied().flatten().filter(|rule| begins(rule, byte)).map(|rule| rule.1).collect()
    })
}

/// The rules that look at a text: everywhere, where a word begins, and whether names tell secrets, too.
#[derive(Clone, Copy)]
struct Rules {
    everywhere: &'static ByFirst,
    words: &'static ByFirst,
    by_names: bool,
}

static EVERYWHERE: ByFirst = LazyLock::new(|| by_first(&[CERTAIN, SUSPECT]));
static AT_WORDS: ByFirst = LazyLock::new(|| by_first(&[CERTAIN_WORDS, SUSPECT_WORDS]));
static CERTAIN_EVERYWHERE: ByFirst = LazyLock::new(|| by_first(&[CERTAIN]));
static CERTAIN_AT_WORDS: ByFirst = LazyLock::new(|| by_first(&[CERTAIN_WORDS]));

const ALL: Rules = Rules { everywhere: &EVERYWHERE, words: &AT_WORDS, by_names: true };
const ALL_CERTAIN: Rules = Rules { everywhere: &CERTAIN_EVERYWHERE, words: &CERTAIN_AT_WORDS, by_names: false };

/// Rules that leave no doubt: those that look everywhere, and those that look where a word begins.
const CERTAIN: &[Rule] = &[(b"-BP", pem::private_key), (b"", prefix::known_key), (b"e", prefix::glued_token)];
const CERTAIN_WORDS: &[Rule] = &[(b"e", prefix::json_web_token), (b"", forms::by_its_end)];

/// Rules that go by what stands around a secret.
const SUSPECT: &[Rule] = &[
    (b":%", address::user_info),
    (b"(", call::argument),
    (b"(", keyed::argument),
    (b"( ", field::typed),
    (b"=", argument::setting),
    (b"=", field::assigned),
    (b":#", argument::hidden),
    (b"(", traced::read),
    (b":", traced::target),
    (b"\n", printed::below),
    (b"\n", printed::typed),
    (b"\n", printed::by_debugger),
    (b"\n,", chat::answered),
    (b"?", chat::answered_at_once),
    (b":", hashes::of_exchange),
    (b"[{", tools::of_list),
    (b"[", tools::of_attack),
    (b"(", tools::of_settings),
    (b"\xf0", hint::beside_key),
    (b"/", oracle::by_form),
];
const SUSPECT_WORDS: &[Rule] = &[
    (b"", address::data_source),
    (b"", forms::of_storage),
    (b"\"", files::of_pool),
    (b"a", files::of_tunnel),
    (b"a", traced::of_shown_file),
    (b"d", traced::keys),
    (b"P", traced::parameter),
    (b"PXENR", files::of_ipsec),
    (b"u", files::of_share),
    (b"oOnNpPcC", change::noted),
    (b"ft", change::in_field),
    (b"bBgGsSdD", address::scheme_credential),
    (b"-/", command::flag),
    (b"-", header::of_command),
    (b"dhaAbBcCeEfikKmnNprRstuvwS/", argument::positional),
    (b"r0123456789", argument::of_radtest),
    (b"ep<", argument::piped),
    (b">", argument::rule_of_access),
    (b"rov", block::values),
    (b"iI", statement::sql),
    (b"pPrR", statement::of_role),
    (b"aosrueicC", oracle::announced),
    (b"$S{ps", hashes::of_account),
    (b"$", hashes::of_kerberos),
    (b"NS", hashes::of_memory),
    (b"", partner::beside_id),
    (b"\"'", jwk::private),
    (b"t", issued::temporary),
    (b"gGcCiIrRtTnNaApPdDbBsSyY", issued::token),
    (b"", tools::of_debugger),
    (b"B", tools::of_bundler),
    (b"12", tools::of_tasks),
    (b"pc", ticket::of_calendar),
    (b"*", hashes::of_mysql),
    (b"0123456789", hashes::of_windows),
    (b"sS", statement::set_password),
    (b"vV", statement::inserted),
    (b"(", statement::inserted_row),
    (b"D", statement::duplicate),
    (b"pP", statement::parameters),
    (b"aA", protocol::signing_in),
    (b"3", protocol::asked),
    (b"L", protocol::login),
    (b"l", protocol::tried),
    (b"P", protocol::pass),
    (b"md", protocol::machine),
    (b"cClLaAuUsSfFeEiIzZ", protocol::user_and_password),
    (b"aApPrRsSeE", protocol::of_account),
    (b"", protocol::password_file),
    (b"sS", header::subprotocol),
    (b"fF", header::form_field),
    (b"f", field::filled),
    (b"uUwWeElLsScCtTpP", said::told),
    (b"arspe", said::of_account),
    (b"udso", said::usual),
    (b"o", said::another),
    (b"", said::said_after),
    (b"", ahead::named),
    (b"oatnew/(", second::other),
    (b"", factory::delivered),
    (b"c", files::of_contents),
    (b"W", files::of_wireless),
    (b"u", files::of_login_module),
    (b"", files::of_section),
    (b"k", keys::key),
    (b"e", keys::of_gossip),
    (b"kK", keys::of_wireless),
    (b"yYG0123456789", codes::code),
    (b"0123456789", codes::of_drive),
    (b"0123456789", codes::of_thing),
    (b"sS", codes::of_stream),
    (b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", codes::of_product),
    (b"cCpP", codes::of_door),
    (b"abcdefghijklmnopqrstuvwxyz", said::on_host),
    (b"abcdefghijklmnopqrstuvwxyz", said::of_address),
    (b"[", protocol::of_relay),
    (b"xX", header::of_key),
    (b"abcdefhijklmnoprstuvwACEFHIJLMNOPRSUVW", ticket::in_path),
    (b"cdsotmivCSOTMIV", ticket::in_query),
    (b"h", tools::of_transaction),
    (b"mpo", tools::of_check),
    (b"u", tools::of_query),
    (b"0123456789abcdef", tools::of_syslog),
    (b"w", tools::of_network),
    (b"pP", codes::of_card),
    (b"b", hint::but),
    (b"rRmpsbwAaolicdS", directive::secret),
    (b"MSDA", directive::of_user),
    (b"ap", devices::of_user),
    (b"kp", devices::of_block),
    (b"nsvg", devices::of_protocol),
    (b"icps", devices::of_account),
    (b"a", devices::of_gateway),
    (b"rs", devices::of_telephone),
    (b"s", devices::of_friend),
    (b"0123456789", devices::of_mailbox),
    (b"LI", served::of_attempt),
    (b"P", served::of_setup),
    (b"S", served::of_bootstrap),
    (b"rb", served::of_state),
    (b"s", served::of_name_server),
    (b"hlmAN", served::of_key),
    (b"nksp", served::of_bytes),
    (b"c", served::of_mail),
    (b"cCsSrRwWvVtT", community::named),
    (b"n", community::added),
    (b"tk", tools::of_link),
    (b"s", hint::sent),
    (b"aAsS", hint::answer),
    (b"uUlLa", given::of_user),
    (b"pP", given::made),
    (b"nircsNIRCS", given::now),
    (b"teshpg", given::as_mine),
    (b"ownw", given::old),
    (b"hHpPsSlLjJ", given::in_other_language),
    (b"tTuUsg", passing::tried),
    (b"uUlLsca", passing::stroked),
    (b"p", passing::in_brackets),
    (b"rR", passing::reset),
    (b"oOpPnNa", passing::changed),
    (b"iIuUlLb", passing::typed_as_user),
    (b"beusf", passing::kept),
    (b"l", passing::of_operator),
    (b"", tools::of_user_list),
    (b"uUeEtTiIBDVvcpP", codes::of_message),
    (b"DTcCS", codes::of_entrance),
    (b"M", tools::of_match),
    (b"l", tools::of_peer),
    (b"{", tools::of_macro),
];

/// All secrets, in order.
pub(crate) fn secrets(text: &str) -> Vec<Range<usize>> {
    read(text, ALL)
}

/// The secrets about which there is no doubt, in order.
pub(crate) fn certain(text: &str) -> Vec<Range<usize>> {
    read(text, ALL_CERTAIN)
}

/// What the rules find in any reading of `text`.
fn read(text: &str, rules: Rules) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for reading in Reading::all(text) {
        let text_read = &*reading.text;
        let mut secrets = find(text_read, rules);
        secrets.extend(pem::tails(text_read));
        secrets.extend(coded::secrets(text_read, |said| !find(said, rules).is_empty()));
        if rules.by_names {
            secrets.extend(table::below_names(text_read));
            secrets.extend(cells::secrets(text_read));
            secrets.extend(manifest::secrets(text_read));
            secrets.extend(pem::middles(text_read));
            secrets.extend(recovery::codes(text_read));
        }
        found.extend(
            secrets
                .into_iter()
                .map(|secret| reading.origin(secret))
                .filter(|secret| &text[secret.clone()] != crate::MASK),
        );
    }
    crate::merged(found)
}

fn find(text: &str, rules: Rules) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    let alone = |secret: Range<usize>| (vec![secret.clone()], secret.end);
    while let Some(character) = text[at..].chars().next() {
        let (place, byte) = (Place::of(text, at), usize::from(text.as_bytes()[at]));
        let ask = |rules: &ByFirst| rules[byte].iter().find_map(|rule| rule(place));
        let is_word = place.begins();
        let told = ask(rules.everywhere).or_else(|| if is_word { ask(rules.words) } else { None });
        let told = match told {
            None if is_word && rules.by_names => {
                let told = || {
                    let told = hint::far(place).or_else(|| assigned::assigned(place));
                    told.or_else(|| purpose::stated(place)).or_else(|| variable::assigned(place)).map(alone)
                };
                named::secrets(place).or_else(told)
            }
            told => told.map(alone),
        };
        at += character.len_utf8();
        let Some((mut secrets, next)) = told else { continue };
        let is_new = |secret: &Range<usize>| !secret.is_empty() && &text[secret.clone()] != crate::MASK;
        if let Some(first) = secrets.first_mut().filter(|first| is_new(first)) {
            let further = cut_off(text, first.end);
            first.end += further;
            at = next + if next < first.start { 0 } else { further };
        } else if secrets.first().is_some_and(|first| &text[first.clone()] == crate::MASK) {
            at = at.max(next);
        }
        found.extend(secrets.into_iter().filter(is_new));
    }
    found
}

/// How much of a secret goes on behind its end: rules look at a bounded stretch, and a secret may be longer.
fn cut_off(text: &str, end: usize) -> usize {
    let is_inside = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    if is_inside(bytes.get(end)) && is_inside(bytes.get(end - 1)) {
        run(&text[end..], |byte| DOTTED(byte) || b"+/=~".contains(&byte))
    } else {
        0
    }
}
