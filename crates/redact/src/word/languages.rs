//! Words for a password and about one in languages whose sentences are not read: a row for each. Pure.

/// A language by its words, in small letters, with `σ` also at their ends. An underscore is a blank, or nothing.
pub(super) struct Tongue {
    /// For a password, in the forms that stand before a value.
    pub names: &'static str,
    /// For other things as well, or for a key: what has one of these names looks like a secret.
    pub doubtful: &'static str,
    /// For `is`.
    pub links: &'static str,
    /// For `of`, `for` and `new`, which stand between the word for a password and a colon.
    pub of: &'static str,
    /// What is said of a password behind a colon, where the letters are Latin: words of others are told by their letters.
    pub states: &'static str,
}

/// What a row does not say.
const NONE: Tongue = Tongue { names: "", doubtful: "", links: "", of: "", states: "" };

/// A row for each language, or for several that have their words in common.
pub(super) static TONGUES: [Tongue; 27] = [
    // Turkish
    Tongue {
        names: "şifre sifre şifresi sifresi şifreniz sifreniz şifrem sifrem şifremiz sifremiz parolası parolasi parolanız parolaniz parolam \
            parolamız parolamiz",
        states: "yanlış yanlis hatalı hatali geçersiz gecersiz gerekli gereklidir zorunlu zorunludur süresi suresi doldu dolmuş kilitli kilitlendi \
            boş eksik değişti değiştirildi sıfırlandı gizli eşleşmiyor bilinmiyor bulunamadı güncellendi zayıf kısa reddedildi",
        ..NONE
    },
    // Hungarian
    Tongue {
        names: "jelszó jelszo jelszava jelszavam jelszavad jelszavunk jelszavuk jelszavak",
        states: "lejárt lejart hibás hibas helytelen érvénytelen ervenytelen kötelező kotelezo szükséges szukseges zárolva zarolva hiányzik \
            hianyzik rossz üres rövid gyenge titkos megváltozott módosítva visszaállítva megadva elutasítva ismeretlen",
        ..NONE
    },
    // Finnish
    Tongue {
        names: "salasana salasanan salasanasi salasanani salasanamme salasanaa",
        links: "on",
        states: "väärä vaara virheellinen vanhentunut pakollinen vaaditaan lukittu puuttuu tyhjä vaihdettu nollattu salainen liian",
        ..NONE
    },
    // Estonian
    Tongue {
        names: "parool parooli parooliks salasõna salasona",
        links: "on",
        states: "vale aegunud kohustuslik nõutav lukus lukustatud vigane kehtetu puudub tühi muudetud lähtestatud lühike nõrk",
        ..NONE
    },
    // Latvian, whose word is one of English, French and Italian, too
    Tongue {
        doubtful: "parole parolē",
        links: "ir",
        of: "no",
        states: "nepareiza nederīga beigusies obligāta bloķēta trūkst tukša mainīta nepieciešama nederiga beidzies",
        ..NONE
    },
    // Lithuanian
    Tongue {
        names: "slaptažodis slaptazodis slaptažodį slaptažodžio",
        links: "yra",
        of: "prie",
        states: "neteisingas klaidingas privalomas būtinas užrakintas negalioja pasibaigęs pasibaigė baigėsi trūksta tuščias pakeistas netinkamas",
        ..NONE
    },
    // Serbian, Croatian and Bosnian in Latin letters
    Tongue {
        names: "lozinka lozinku lozinke lozinkom zaporka zaporku",
        links: "je",
        of: "za od",
        states: "pogrešna pogresna netačna netacna netočna netocna istekla obavezna potrebna zaključana zakljucana neispravna nevažeća nevazeca \
            prazna promijenjena promenjena resetovana nedostaje kratka slaba odbijena",
        ..NONE
    },
    // Slovene
    Tongue {
        names: "geslo gesla geslom",
        links: "je",
        of: "za od",
        states: "napačno napacno poteklo obvezno potrebno zaklenjeno neveljavno nepravilno manjka prazno spremenjeno ponastavljeno prekratko šibko",
        ..NONE
    },
    // Slovak and Czech
    Tongue {
        names: "heslo heslom heslem hesla heslu",
        links: "je",
        of: "k ku do pre pro od na",
        states: "nesprávne nespravne nesprávné chybné neplatné neplatne vypršalo vyprsalo expirované povinné povinne vyžadované zamknuté uzamčené \
            zablokované chýba chybí prázdne prázdné zmenené změněno resetované slabé krátke",
        ..NONE
    },
    // Polish
    Tongue {
        names: "hasło haslo hasłem haslem hasła",
        links: "to",
        of: "do od dla",
        states: "nieprawidłowe nieprawidlowe błędne bledne wygasło wygaslo wymagane zablokowane puste brak zmienione zresetowane niepoprawne słabe",
        ..NONE
    },
    // Catalan and Galician
    Tongue {
        names: "contrasenya contrasinal",
        links: "és",
        of: "de del per nova",
        states: "incorrecta caducada obligatòria requerida bloquejada errònia invàlida buida canviada desconeguda erronia incorrecto caducado",
        ..NONE
    },
    // Romanian, whose word is one of Turkish, too
    Tongue {
        names: "parola parolă parolei",
        links: "este e",
        of: "pentru de",
        states: "greșită gresita incorectă incorecta expirată expirata obligatorie necesară blocată blocata invalidă schimbată resetată lipsește goală",
        ..NONE
    },
    // Vietnamese
    Tongue {
        names: "mật_khẩu mat_khau",
        links: "là la",
        of: "mới moi cũ của cua cho",
        states: "sai không khong đã hết bắt bị trống thiếu yếu chưa phải cần",
        ..NONE
    },
    // Indonesian
    Tongue {
        names: "kata_sandi kata_sandinya kata_sandimu kata_sandiku",
        links: "adalah ialah yaitu",
        of: "baru lama untuk",
        states: "salah kedaluwarsa kadaluarsa kedaluarsa wajib diperlukan dibutuhkan terkunci kosong berubah diubah direset ditolak lemah tidak telah \
            sudah harus",
        ..NONE
    },
    // Malay
    Tongue {
        names: "kata_laluan kata_laluannya",
        links: "ialah adalah",
        of: "baharu baru lama untuk",
        states: "salah tamat diperlukan dikunci wajib kosong ditukar ditetapkan tidak telah",
        ..NONE
    },
    // Filipino
    Tongue {
        names: "kontrasenyas",
        links: "ay",
        of: "ng sa",
        states: "mali maling paso kailangan nag-expire naka-lock walang bago kulang",
        ..NONE
    },
    // Swahili
    Tongue {
        names: "nenosiri neno_la_siri nywila",
        links: "ni",
        of: "ya la kwa mpya jipya",
        states: "si sio limekwisha limeisha linahitajika limefungwa batili vibaya haipo limebadilishwa",
        ..NONE
    },
    // Greek
    Tongue {
        names: "κωδικόσ_πρόσβασησ κωδικοσ_προσβασησ κωδικό_πρόσβασησ συνθηματικό συνθηματικο συνθηματικόσ",
        doubtful: "κωδικόσ κωδικοσ κωδικό",
        links: "είναι ειναι",
        of: "του της τησ για",
        ..NONE
    },
    // Russian, Ukrainian and Belarusian
    Tongue {
        names: "пароль паролем паролю",
        doubtful: "токен",
        links: "- – — є це это",
        of: "от для к від до на доступа доступу",
        ..NONE
    },
    // Bulgarian, and Serbian and Macedonian in Cyrillic letters
    Tongue {
        names: "парола паролата лозинка лозинку лозинката лозинком", links: "- – — е је", of: "за на", ..NONE
    },
    // Hebrew
    Tongue {
        names: "סיסמה סיסמא סיסמת ססמה סיסמתך סיסמתי", links: "היא הוא - –", of: "של החדשה", ..NONE
    },
    // Arabic
    Tongue {
        names: "كلمة_المرور كلمة_مرور كلمة_مرورك كلمة_السر كلمة_سر الرقم_السري باسورد",
        links: "هي هو - –",
        of: "الجديدة الخاصة",
        ..NONE
    },
    // Persian and Urdu
    Tongue {
        names: "رمز_عبور رمزعبور کلمه_عبور گذرواژه پسورد پاس_ورڈ پاسورڈ",
        links: "شما برابر - –",
        of: "جدید برای",
        ..NONE
    },
    // Hindi, Marathi and Nepali
    Tongue { names: "पासवर्ड कूटशब्द", links: "है आहे हो - –", ..NONE },
    // Bengali, whose letter has two spellings
    Tongue {
        names: "পাসওয়ার্ড পাসওয়ার্ড পাসওয়ার্ডটি পাসওয়ার্ডটি", links: "হল হলো হচ্ছে - –", ..NONE
    },
    // Thai, where words follow each other without a blank
    Tongue {
        names: "รหัสผ่าน รหัสผ่านใหม่ รหัสผ่านเดิม รหัสผ่านชั่วคราว รหัสผ่านของคุณ รหัสผ่านสำหรับ พาสเวิร์ด",
        links: "คือ เป็น",
        of: "ของ สำหรับ",
        ..NONE
    },
    // Chinese, Japanese and Korean
    Tongue {
        names: "密码 密碼 口令 パスワード パスフレーズ ﾊﾟｽﾜｰﾄﾞ 暗証番号 비밀번호 비밀_번호 비번 암호 패스워드",
        doubtful: "密钥 密鑰 金鑰 令牌 トークン 토큰",
        links: "- –",
        ..NONE
    },
];
