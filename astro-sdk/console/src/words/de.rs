//! Was die Seiten auf Deutsch sagen.

sentences! { static DE;
    // Orte.
    overview: "Übersicht", items: "Gegenstände", assignments: "Zuteilungen", donations: "Spenden", people: "Personen",
    reservations: "Vormerkungen",
    oversight: "Aufsicht", bots: "Bots", syncs: "Abgleiche", discrepancies: "Abweichungen", settings: "Einstellungen",
    events: "Ereignisse", organisations: "Organisationen", keys: "Schlüssel", help: "Hilfe", preferences: "Ansicht",

    // Der Rahmen.
    to_content: "Zum Inhalt", pages: "Seiten", menu: "Menü", brand: "Astro, Übersicht", search: "Suche",
    search_hint: "Person, SteamID64, Kennung, Angebot oder Name", live: "live", connecting: "verbindet", sign_out: "Abmelden",
    organisation: "Organisation", all_organisations: "Alle Organisationen", show: "Zeigen", copied: "kopiert",
    admin_key: "Schlüssel der Verwaltung", client_key: "Schlüssel eines Systems", bot_key: "Schlüssel eines Bots", system: "Astro selbst",
    one_more: "1 weitere Änderung: zeigen", many_more: "{} weitere Änderungen: zeigen", go_on: "Weiter", more_settings: "Weitere Einstellungen", all: "Alle",
    further_pages: "Weitere Seiten", first_page: "Erste Seite", next_page: "Nächste Seite", as_csv: "Als CSV-Datei",
    filter: "Filtern", drop_filter: "Alle zeigen", nothing_matches: "Nichts passt zu diesem Filter.",
    more_filters: "Weitere Filter", state: "Zustand", changed: "Geändert", id: "Kennung", name: "Name", note: "Notiz", save: "Speichern",
    choose: "Wählen:", choose_all: "Alle wählen", choose_rows: "Zeilen wählen, um mit mehreren etwas zu tun.",
    chosen_one: "1 gewählt", chosen_many: "{} gewählt", chosen_number: "{} gewählt|{} gewählt",
    newer_state: "Zustand {} (neuerer Server)", as_table: "Als Tabelle", at_most: "höchstens", reason: "Grund", request: "Anfrage",
    by_sdk: "Mit einem Programm tun", by_sdk_note: "Dasselbe mit einem eigenen Programm. ASTRO_API_KEY enthält den Schlüssel; er wird hier nie gezeigt.",
    at_a_shell: "In der Shell", as_json: "Als JSON, um Fehler zu melden",

    // Anmelden.
    sign_in: "Anmelden", api_key: "API-Schlüssel", key_note: "Der Schlüssel eines Systems oder der Verwaltung: astro_client_… oder astro_admin_…",
    key_wrong: "Dieser Schlüssel gilt nicht: Er ist unbekannt, abgelaufen oder widerrufen. Wurde er ganz kopiert?",
    key_of_nobody: "Damit meldet sich niemand an: Das ist der Schlüssel eines Bots oder das Geheimnis einer Sitzung. Nimm den Schlüssel eines Systems oder der Verwaltung.",
    your_name: "Dein Name", your_name_note: "Kann leer bleiben. Andere sehen ihn bei den Sitzungen.",
    signed_out_here: "Hier bist du abgemeldet, aber der Server war nicht zu erreichen. Die Sitzung endet von selbst, spätestens zwölf Stunden nach ihrem Beginn.",
    too_many_wrong_keys: "Zu viele falsche Schlüssel von deiner Adresse. Warte eine Minute.",
    link_used: "Dieser Link wurde schon benutzt oder ist zu alt. Melde dich mit einem Schlüssel an oder lass dir einen neuen Link geben.",
    session_ended: "Deine Sitzung ist zu Ende. Melde dich an, um weiterzumachen.",
    signed_out: "Abgemeldet", signed_out_text: "Melde dich an, um diese Seite zu sehen.",

    // Was schiefgeht.
    refused: "Das ging nicht", not_found: "Nicht gefunden",
    not_found_text: "Hier ist nichts, oder dein Schlüssel reicht nicht so weit.",
    not_allowed: "Nicht erlaubt", not_allowed_text: "Dein Schlüssel darf das nicht: Ihm fehlt das Recht {}.",
    server_away: "Der Server ist nicht da", server_away_text: "Der Astro-Server antwortet gerade nicht. Verloren ist nichts.",
    too_many_requests: "Zu viele Anfragen", too_many_requests_text: "Zu viele Anfragen auf einmal. Wieder in {} s.",
    changed_meanwhile: "Jemand war schneller",
    changed_meanwhile_text: "Jemand hat es geändert, während du es angesehen hast. Lade die Seite, sieh noch einmal nach und entscheide neu.",
    forged_form: "Formular abgelehnt",
    forged_form_text: "Dieses Formular kam nicht aus deiner Sitzung. Lade die Seite neu und wiederhole, was du getan hast.",
    too_large: "Das Formular ist größer als jedes hier.", server_says: "Der Server sagt: {}",
    again_by_itself: "Diese Seite fragt in {} s von selbst wieder.", try_again: "Noch einmal",
    choose_organisation_first: "Wähle zuerst oben auf der Seite eine Organisation.",
    choose_first: "Nichts wurde gewählt. Geh zurück und hake mindestens eine Zeile an.",
    choose_and_name: "Hake mindestens eine Zeile an und schreibe einen Namen.", too_many_chosen: "Höchstens {} auf einmal.",
    no_person: "Das ist kein Steam-Konto. Schreibe eine SteamID64, die Adresse eines Profils, eine Handels-URL oder [U:1:…].",
    no_app: "Ein Spiel ist die Nummer einer Steam-Anwendung, etwa 440.", no_number: "Hier gehört eine Zahl hin.",
    no_amount: "Ein Betrag sieht aus wie 12,50.", no_time: "Eine Zeit sieht aus wie 2026-11-30T12:00.",

    // Zeiten.
    just_now: "gerade eben", minutes_ago: "vor 1 min|vor {} min", hours_ago: "vor 1 h|vor {} h", days_ago: "vor 1 Tag|vor {} Tagen",
    in_minutes: "in 1 min|in {} min", in_hours: "in 1 h|in {} h", in_days: "in 1 Tag|in {} Tagen",

    // Was ein Formular getan hat.
    done_assigned: "{} Gegenstand zugeteilt.|{} Gegenstände zugeteilt.", done_retried: "Die Lieferung wird neu versucht.|{} Lieferungen werden neu versucht.",
    done_cancelled: "Die Zuteilung ist abgesagt. Ist ein Angebot draußen, endet sie mit ihm.|{} Zuteilungen sind abgesagt.",
    done_reassigned: "Die Gegenstände gehen an die neue Person.", done_labelled: "{} Gegenstand beschriftet.|{} Gegenstände beschriftet.",
    done_stored: "Gespeichert.", done_released: "Die Gegenstände sind wieder frei.", done_paused: "Der Bot pausiert.",
    done_resumed: "Der Bot macht weiter.", done_sync: "Der Bot liest als Nächstes sein Inventar.", done_resolved: "Erledigt.",
    done_revoked: "Der Schlüssel ist widerrufen.", done_ended: "Die Sitzung ist beendet.", done_created: "Angelegt.", done_denied: "Ihre Spenden werden ab jetzt abgelehnt.",
    done_allowed: "Ihre Spenden werden wieder angenommen.",

    // Übersicht.
    needs_you: "Braucht dich", needs_nothing: "Nichts braucht dich.", pool: "Vorrat", items_free: "Gegenstände zu vergeben",
    under_way: "Unterwegs", offers_wait: "{} Angebot wartet auf seine Person|{} Angebote warten auf ihre Personen",
    need_a_person: "brauchen jemanden", accuracy: "Genauigkeit", open_differences_number: "{} offene Abweichungen",
    differences_open: "{} offene Abweichung|{} offene Abweichungen", differences_text: "Steam und die Bücher weichen ab. Sieh jede an und sag, was zu tun ist.",
    more_blocked: "{} weitere ist blockiert|{} weitere sind blockiert", events_an_hour: "Ereignisse je Stunde",
    login_ends: "Anmeldung endet",

    no_numbers: "Dein Schlüssel darf keine Zahlen lesen: ihm fehlt das Recht {}.", blocked_by_reason: "Blockiert, nach Grund",

    // Berichte.
    reports: "Berichte", by_day: "Nach Tag", by_week: "Nach Woche", by_month: "Nach Monat", from_day: "Von", until_day: "Bis", of_one: "Nur",
    items_given: "Vergeben", items_received: "Erhalten", delivered_share: "Zugestellt", time_to_delivery: "Zeit bis zur Zustellung", worth_given: "Wert",
    nothing_counted: "In dieser Zeit wurde nichts vergeben oder erhalten.", counts_note: "Tage sind die von UTC. Der Wert ist der von Gegenständen mit einem Wert in US-Dollar. Die Zahlen folgen dem Protokoll um ein, zwei Sekunden.",
    no_day: "Ein Tag wird so geschrieben: 2026-11-30.",

    // Zustände von Zuteilungen.
    state_queued: "Wartet", state_delivering: "In Arbeit", state_offered: "Angebot gesendet", state_held: "Von Steam gehalten",
    state_blocked: "Blockiert", state_delivered: "Geliefert", state_settled: "Endgültig", state_reversed: "Rückgängig",
    state_failed: "Gescheitert", state_cancelled: "Abgesagt", state_expired: "Verfallen",

    // Warum eine blockiert ist, und was zu tun ist.
    blocked_trade_url: "Handels-URL fehlt", blocked_trade_url_old: "Handels-URL gilt nicht mehr", blocked_invite: "Einladung nicht angenommen",
    blocked_banned: "Person ist vom Handel gesperrt", blocked_cannot_receive: "Person kann nichts empfangen", blocked_full: "Inventar voll",
    blocked_private: "Inventar privat", blocked_hold: "Zu lange gehalten", blocked_declined: "Angebot abgelehnt", blocked_countered: "Gegenangebot",
    blocked_expired: "Angebot abgelaufen", blocked_missing: "Gegenstand fehlt", blocked_stack: "Gegenstand ist ein Stapel", blocked_bot: "Bot darf nicht handeln",
    blocked_device: "Bot auf neuem Gerät", blocked_not_confirmed: "Nicht bestätigt", blocked_steam: "Steam hat zu oft versagt", blocked_other: "Etwas Neues",
    remedy_trade_url: "Steam nimmt kein Angebot ohne die Handels-URL der Person. Speichere sie hier; die Lieferung geht dann von selbst weiter.",
    remedy_invite: "Die Freundschaftseinladung des Bots wartet. Bitte die Person, sie anzunehmen, oder speichere ihre Handels-URL; die Lieferung geht dann von selbst weiter.",
    remedy_banned: "Sag ab, oder warte das Ende der Sperre ab und versuche es neu.",
    remedy_recipient: "Bitte die Person, Platz zu machen oder das Inventar zu öffnen, und versuche es neu.",
    remedy_full: "Bitte die Person, Platz zu machen, und versuche es neu.", remedy_private: "Bitte die Person, das Inventar öffentlich zu machen, und versuche es neu.",
    remedy_hold: "Steam würde die Gegenstände länger halten als erlaubt. Bitte die Person, den mobilen Steam-Guard-Authentifikator zu benutzen, und versuche es neu.",
    remedy_talk: "Sprich mit der Person, dann versuche es neu oder sag ab.", remedy_retry: "Versuche es neu oder sag ab.",
    remedy_missing: "Es geht von selbst weiter, wenn der Gegenstand wieder gesehen wird. Sonst schreibe die Abweichung ab oder sag ab.",
    remedy_stack: "Sag ab und teile einen anderen zu. Es geht von selbst weiter, sobald der Gegenstand wieder ein einzelner ist.",
    remedy_bot: "Sieh nach, was der Bot sagt, und versuche es neu.", remedy_device: "Steam lässt den Bot in einigen Tagen wieder handeln. Versuche es dann neu.",
    remedy_other: "Unten steht, was Steam sagte.",

    // Zuteilungen.
    new_assignment: "Neue Zuteilung", assign_first: "Die ersten Gegenstände zuteilen", no_assignments: "Noch keine Zuteilungen. Eine gibt einer Person Gegenstände; ein Bot liefert sie.",
    recipient: "Person", what_for: "Wofür", source: "Quelle", kind: "Art", external_id: "Fremde Kennung", retry: "Neu versuchen",
    cancel_more: "Absagen …", reassign: "Weitergeben", reassign_more: "Weitergeben …", assignment: "Zuteilung", assignment_for: "Zuteilung für {}",
    result: "Ergebnis", results: "Ergebnisse", result_done: "Getan", back_to_list: "Zurück zur Liste", items_counted: "{} Gegenstand|{} Gegenstände",
    cancel_title: "Zuteilungen absagen", cancel_number: "{} Zuteilung absagen|{} Zuteilungen absagen",
    cancel_means: "Die Gegenstände gehen in den Vorrat zurück: sofort oder, solange ein Angebot draußen ist, wenn Steam dessen Ende zeigt. Was schon geliefert ist, bleibt bei der Person.",
    cancelled_results: "Abgesagt: {} von {}.", retried_results: "Neu versucht: {} von {}.", leave_them: "So lassen", leave_it: "So lassen",
    note_is_kept: "Steht im Protokoll.", reassign_title: "An eine andere Person weitergeben", new_recipient: "Neue Person",
    reassign_means: "Was nicht abgeholt ist, geht weiter: sofort oder, solange ein Angebot draußen ist, wenn Steam dessen Ende zeigt. Die Gegenstände kommen dazwischen nie in den Vorrat.",
    attempts: "Versuche", attempt: "Versuch", trade_offer: "Handelsangebot", trade: "Handel", last_error: "Letzter Fehler", bot: "Bot", runner_ups: "Nachrückende",
    came_from: "Kam von", passed_on_to: "Ging weiter an", assigned: "Zugeteilt", expires: "Verfällt", delivered: "Geliefert", settles: "Endgültig ab",
    ended: "Beendet", reversed: "Rückgängig", timeline: "Was geschah", progress_pending: "Wartet", progress_delivered: "Geliefert",
    progress_returned: "Zurück im Vorrat", progress_reversed: "Rückgängig", trade_url: "Handels-URL", store_trade_url: "Handels-URL speichern",
    trade_url_note: "Die Person findet sie auf Steam unter Inventar, Handelsangebote, Wer kann mir Handelsangebote senden. Sie wird gespeichert und nie gezeigt.",
    any_reason: "Jeder Grund", only_these: "Nur diese", reassign_number: "{} Zuteilung weitergeben|{} Zuteilungen weitergeben", reassigned_results: "Weitergegeben: {} von {}.",
    labelled_results: "Beschriftet: {} von {}.", held_results: "Vorgemerkt: {} von {}.", released_results: "Freigegeben: {} von {}.", not_held: "Er ist für niemanden vorgemerkt.",
    it_is_now: "Jetzt: {}.", type_number: "Schreibe {}, um fortzufahren", type_number_note: "So viele werden nicht mit einem Klick beendet.",
    type_number_wrong: "Die Zahl stimmt nicht: Ausgewählt sind {}.", you_saw: "Du sahst", now_it_is: "jetzt", yours: "Was du geschrieben hast", theirs: "Was jetzt gespeichert ist",
    look_again: "Jemand hat es geändert, während du es ansahst. Sieh dir beides an und speichere noch einmal, was gelten soll.",

    // Was einer Lieferung im Weg stünde.
    in_the_way: "Was der Lieferung im Weg steht", in_the_way_note: "Du kannst trotzdem zuteilen: Die Lieferung wartet, bis nichts mehr im Weg steht.",
    warns_trade_url: "Es ist keine Handels-URL bekannt, die Steam annimmt. Speichere sie; sonst muss der Bot erst ein Freund werden.",
    warns_bot_paused: "Der Bot pausiert. Lass ihn weitermachen.", warns_bot_offline: "Der Bot ist nicht verbunden. Starte ihn.", warns_bot_operator: "Der Bot braucht jemanden, der ihn betreut. Tu, was er sagt.",
    warns_several: "Die Gegenstände liegen bei mehreren Bots und kommen nacheinander, in einem Handel je Bot.",
    warns_not_tradable: "Ein Gegenstand kann noch nicht gehandelt werden. Warte, oder wähle einen anderen.",
    warns_recipient_full: "Die Person hat so viele offene Angebote, wie Steam erlaubt. Bitte sie, eines zu beantworten, oder sag eines ab.",
    warns_bot_full: "Der Bot hat so viele offene Angebote, wie Steam erlaubt. Warte auf eine Antwort, oder sag eines ab.",
    warns_banned: "Die Person war zuletzt vom Handel gesperrt. Frag sie, ob die Sperre vorbei ist.",
    warns_hold: "Zuletzt hätte Steam die Gegenstände gehalten. Bitte die Person, den mobilen Steam-Guard-Authentifikator zu benutzen.",
    warns_inventory_full: "Das Inventar der Person war zuletzt voll. Bitte sie, Platz zu schaffen.",
    warns_inventory_private: "Das Inventar der Person war zuletzt privat. Bitte sie, es öffentlich zu machen.",
    warns_cannot_receive: "Die Person konnte zuletzt nichts empfangen. Bitte sie, Platz zu schaffen oder das Inventar zu öffnen.",
    to_trade_url: "Handels-URL speichern", to_bot: "Zum Bot", to_other_items: "Andere Gegenstände wählen", to_offers: "Zu den offenen Angeboten", to_blocked: "Zu dem, was blockiert ist",
    exact_name: "Genauer Marktname", any_time: "Handelbar oder nicht", tradable_only: "Jetzt handelbar",

    // Der Assistent.
    steps: "Schritte", step_recipient: "Person", step_items: "Gegenstände", step_confirm: "Bestätigen",
    recipient_note: "SteamID64, die Adresse eines Profils, eine Handels-URL oder [U:1:…]", for_whom: "Für", no_free_items: "Keine freien Gegenstände passen.",
    any_of: "Stattdessen beliebige eines Namens", how_many: "Wie viele", part_of_name: "Teil des Namens", hold_and_go_on: "Vormerken und weiter",
    any_note: "Sie sind 15 Minuten für dich vorgemerkt.", has_trade_url: "Die Handels-URL ist gespeichert.",
    in_parts: "In einem Handel geliefert.|In {} Teilen geliefert, Bot nach Bot.",
    worth: "Wert {}", reason_shown: "Grund", reason_note: "Die Person liest ihn.", kind_note: "giveaway, vip, tournament …; leer: manual",
    days_to_claim: "Tage zum Abholen", days_note: "Leer: wie in der Organisation üblich.", runners_note: "Wer sie der Reihe nach bekommt, wenn niemand sie abholt: je Zeile eine Person, höchstens 20.",
    assign_number: "{} Gegenstand zuteilen|{} Gegenstände zuteilen",

    // Zustände von Gegenständen.
    item_pending: "Kommt an", item_available: "Frei", item_reserved: "Vorgemerkt", item_assigned: "Zugeteilt", item_in_offer: "Im Angebot",
    item_in_escrow: "Von Steam gehalten", item_delivered: "Geliefert", item_missing: "Fehlt", item_withdrawn: "Entnommen", item_quarantined: "In Quarantäne",

    // Gegenstände.
    item: "Gegenstand", rarity: "Seltenheit", value: "Wert", labels: "Beschriftungen", game: "Spiel", games: "Spiele", donor: "Von", any_bot: "Jeder Bot", order: "Reihenfolge",
    newest_first: "Neueste zuerst", oldest_first: "Älteste zuerst", by_name: "Nach Namen", by_name_down: "Nach Namen, abwärts",
    as_tiles: "Als Kacheln", as_a_table: "Als Tabelle", no_items: "Noch keine Gegenstände. Mitglieder spenden sie mit einem Handelsangebot an einen Bot.",
    label_name: "Beschriftung", label_value: "Ihr Wert", set_label: "Beschriften", hold_for: "Vormerken für", minutes_15: "15 min", hour_1: "1 h", day_1: "1 Tag", hold: "Vormerken",
    assign_this: "Zuteilen", assign_these: "Diese zuteilen", release: "Freigeben", held_title: "Für dich vorgemerkt", reservation: "Vormerkung",
    held_ones: "Vorgemerkt", made_by: "Angelegt von", ends: "Endet", no_reservations: "Nichts ist vorgemerkt. Wähle Gegenstände und merke sie vor, solange eine Verlosung läuft.",
    reservation_held: "Vorgemerkt", reservation_used: "Zugeteilt", reservation_released: "Freigegeben", reservation_expired: "Abgelaufen",
    life: "Sein Leben", name_on_market: "Name auf dem Markt", received: "Erhalten", tradable_from: "Handelbar ab", asset_id: "Asset-Nummer",
    currency: "Währung", labels_note: "Je Zeile eine: Name=Wert", change_item: "Beschriftungen und Wert ändern",

    // Personen.
    person: "Person", gave: "Gab", gets: "Bekommt", last_seen: "Zuletzt gesehen", first_seen: "Zuerst gesehen", no_people: "Noch niemand.",
    person_or_name: "Person oder Teil des Namens", has_url: "Mit Handels-URL",
    profile: "Profil", country: "Land", account_made: "Konto seit", trade_url_stored: "Gespeichert", trade_url_not_stored: "Nicht gespeichert",
    not_met: "Diese Organisation kennt die Person noch nicht.", assign_to: "Gegenstände zuteilen", gets_nothing: "Bisher nichts.", gave_nothing: "Bisher nichts.",
    deny_donations: "Spenden ablehnen", allow_donations: "Spenden wieder annehmen", denied_now: "Die Spenden dieser Person werden abgelehnt.",

    // Spenden.
    donation: "Spende", donation_of: "Spende von {}", donation_accepting: "Wird angenommen", donation_declining: "Wird abgelehnt", donation_accepted: "Angenommen",
    donation_received: "Erhalten", donation_declined: "Abgelehnt", donation_ended: "Beendet", donation_reversed: "Zurückgenommen",
    what_happened: "Was geschah", worth_about: "Wert etwa", came: "Kam", message: "Nachricht", declined_because: "Abgelehnt, weil",
    not_taken: "Nicht genommen", its_life: "Sein Leben", no_donations: "Noch keine Spenden. Mitglieder senden einem Bot ein Handelsangebot mit dem Wort der Organisation.",
    declined_asks: "Es verlangt Gegenstände", declined_nothing: "Es gibt nichts", declined_many: "Zu viele Gegenstände", declined_keyword: "Das Wort fehlt",
    declined_app: "Gegenstände dieses Spiels werden nicht genommen", declined_tradable: "Ein Gegenstand ist nicht handelbar", declined_junk: "Nach den Regeln Plunder",
    declined_limit: "Die Grenze der Person ist erreicht", declined_denied: "Von dieser Person wird nichts genommen", declined_stack: "Ein Stapel",

    // Bots und Abgleiche.
    bot_paused: "Pausiert", bot_offline: "Nicht verbunden", bot_online: "Online", bot_reconnecting: "Verbindet neu", bot_rate_limited: "Von Steam gebremst",
    bot_maintenance: "Steam wird gewartet", bot_needs_operator: "Braucht jemanden", last_heard: "Zuletzt gehört",
    no_bots: "Noch keine Bots. Einer ist ein Steam-Konto, das die Gegenstände hält.", sessions_so_far: "Sitzungen bisher", registered: "Angemeldet seit", what_it_holds: "Mehr davon",
    sync_now: "Inventar jetzt lesen", pause: "Pausieren", pause_more: "Pausieren …", resume: "Weitermachen lassen", pause_title: "{} pausieren",
    pause_means: "Er beginnt keine Lieferung und nimmt keine Spende, bis du ihn weitermachen lässt. Angebote, die draußen sind, werden zu Ende verfolgt.",
    needs: "Braucht", open_offers: "Angebote unterwegs", of_most: "{} von {}", queue: "Wartende", last_sync: "Letzter Abgleich",
    remedy_worker: "Starte astro-bot mit einem Schlüssel dieses Bots; einen neuen legst du unter Schlüssel an.",
    remedy_operator: "Tu, was der Bot sagt, und starte ihn wieder, falls er sich beendet hat.",
    remedy_login: "Melde sein Steam-Konto vorher neu an.", remedy_resume: "Lass ihn weitermachen, wenn er wieder liefern und Spenden annehmen soll.",
    remedy_bot_other: "Sieh nach, was der Bot sagt.",
    differences_a_run: "Abweichungen je Lauf", sync: "Abgleich", run: "Lauf", on_steam: "Auf Steam", changes: "Änderungen", open_differences: "Offen",
    no_syncs: "Noch keine Abgleiche. Ein Bot liest sein Inventar, wenn er sich verbindet.", sync_pending: "Wartet", sync_running: "Liest", sync_succeeded: "Fertig", sync_failed: "Gescheitert",
    trigger_session: "Bot verbunden", trigger_schedule: "Wie geplant", trigger_trade: "Nach einem Handel", trigger_failure: "Nach einem Fehler", trigger_request: "Auf Wunsch",

    // Abweichungen.
    discrepancy: "Abweichung", difference: "Abweichung", found: "Gefunden", what_to_do: "Was zu tun ist", open_ones: "Offene", no_discrepancies: "Steam und die Bücher stimmen überein.",
    resolve_more: "Erledigen …", note_wanted: "Nötig zum Abschreiben und Zurückziehen.", note_missing: "Schreibe eine Notiz: Das ist nicht rückgängig zu machen, und das Protokoll soll sagen, warum.",
    differs_unknown_asset: "Auf Steam, nicht in den Büchern", differs_missing: "In den Büchern, nicht auf Steam", differs_assigned_missing: "Zugeteilt und auf Steam verschwunden",
    differs_unknown_trade: "Fort durch einen Handel, den Astro nicht gemacht hat", differs_unknown_offer: "Ein Angebot, das Astro nicht gesendet hat",
    differs_report: "Ein Bericht, der nicht festgehalten werden konnte", differs_twice: "In den Büchern zweier Bots", differs_stack: "Ein Stapel",
    resolution_open: "Offen", resolution_adopted: "In den Vorrat genommen", resolution_written_off: "Abgeschrieben", resolution_ignored: "So gelassen",
    resolution_vanished: "Von selbst vergangen", resolution_withdrawn: "Angebot zurückgezogen",
    resolve_adopt: "In den Vorrat nehmen", resolve_write_off: "Abschreiben", resolve_ignore: "So lassen", resolve_cancel_offer: "Angebot zurückziehen",

    // Ereignisse.
    severity: "Gewicht", severity_info: "Hinweis", severity_warning: "Warnung", severity_warning_up: "Warnungen und Fehler", severity_error: "Fehler",
    when: "Wann", from_utc: "Von (UTC)", until_utc: "Bis (UTC)", pause_stream: "Anhalten", resume_stream: "Weiter",

    // Organisationen und ihre Regeln.
    new_organisation: "Neue Organisation", make_organisation: "Organisation anlegen", short_name: "Kurzname", short_name_note: "2 bis 40 aus a-z, 0-9 und -. Er bleibt.",
    keyword: "Wort der Spenden", keyword_note: "Die Nachricht einer Spende muss es haben.", made: "Angelegt", hours_to_claim: "Stunden zum Abholen einer Zuteilung",
    hours_of_offer: "Stunden, bis ein unbeantwortetes Angebot neu gesendet wird", sends_invites: "Bots laden Personen ohne Handels-URL ein",
    adopts_unknown: "Gegenstände, die anders auftauchen, kommen in den Vorrat", withdraws_unknown: "Angebote, die Astro nicht gesendet hat, werden zurückgezogen",
    donation_rules: "Regeln für Spenden", games_note: "Nummern von Steam-Anwendungen; leer: alle", items_a_day: "Gegenstände einer Person am Tag",
    worth_a_day: "Wert der Gaben einer Person am Tag, in US-Cent", least_worth: "Mindestwert eines Gegenstands, in US-Cent", empty_no_limit: "Leer: keine Grenze",
    marketable_only: "Nur was auf Steams Markt verkäuflich ist", junk_names: "Namen, die nicht genommen werden", junk_note: "Je Zeile einer; * am Ende steht für jeden Rest",
    denied_people: "Personen, deren Spenden abgelehnt werden", denied_note: "SteamID64, je Zeile eine", thanks: "Dank", thanks_note: "Was Spendende lesen, sobald die Gegenstände da sind",

    // Schlüssel.
    session: "Sitzung", key: "Schlüssel", new_key: "Neuer Schlüssel", make_key: "Schlüssel anlegen", key_made: "Schlüssel {} ist angelegt", key_once: "Kopiere ihn jetzt: Er wird nur hier und nur einmal gezeigt.",
    key_name_note: "Wer oder was ihn benutzt", key_bot_note: "Kennung des Bots, für den Schlüssel eines Bots", scopes: "Rechte", preset_usual: "Die üblichen der Art",
    preset_viewer: "Sieht nur", preset_own: "Die unten", scopes_own: "Eigene Rechte", scopes_note: "items.read, assignments.*, …",
    scopes_missing: "Schreibe, welche Rechte der Schlüssel hat.", last_used: "Zuletzt benutzt", this_one: "deiner", revoke: "Widerrufen", revoke_more: "Widerrufen …", revoked: "Widerrufen",
    revoke_title: "Einen Schlüssel widerrufen", revoke_means: "Er gilt sofort nicht mehr, und seine offenen Verbindungen enden. Das ist nicht rückgängig zu machen.",
    revoke_own: "Mit diesem Schlüssel bist du angemeldet. Du wirst dadurch abgemeldet.",
    own_key: "Dein eigener Schlüssel, noch einmal", own_key_note: "Ein Schlüssel gilt länger als deine Sitzung; deshalb wird er mit dem angelegt, mit dem du dich angemeldet hast.",
    own_key_wrong: "Das ist nicht der Schlüssel, mit dem du dich angemeldet hast. Wurde er ganz kopiert?",

    // Sitzungen.
    sessions: "Sitzungen", who: "Wer", signed_in: "Angemeldet", end_it: "Beenden", nobody_named: "Ohne Namen",
    sessions_note: "Wer sich mit einem Schlüssel angemeldet hat, hier oder mit einem Programm. Eine Sitzung darf, was ihr Schlüssel darf, und endet mit ihm.",

    // Ansicht und Hilfe.
    language: "Sprache", theme: "Farben", theme_system: "Wie im System", theme_light: "Hell", theme_dark: "Dunkel",
    single_keys: "Einzelne Tasten tun etwas (/ sucht, n legt an)", single_keys_off: "Einzelne Tasten abschalten",
    words: "Wörter", keyboard: "Tasten, die etwas tun", key_search: "Suche", key_help: "Diese Seite", key_new: "Neu", key_move: "Nächste und vorige Zeile", key_choose: "Zeile wählen",
    glossary_item: "Ein Ding auf Steam, durch sein ganzes Leben verfolgt.", glossary_assignment: "Ein Versprechen von Gegenständen an eine Person.",
    glossary_attempt: "Ein Versuch, eine Zuteilung zu liefern.", glossary_reservation: "Eine Vormerkung von Gegenständen für eine Weile.",
    glossary_discrepancy: "Ein Unterschied zwischen Steam und den Büchern.", glossary_sync: "Ein Vergleich des ganzen Inventars eines Bots mit den Büchern.",
    glossary_key: "Womit sich ein Programm oder eine Person anmeldet.",
    how_assign: "Wie gebe ich jemandem einen Gegenstand?", how_assign_text: "Neue Zuteilung: sagen, für wen, Gegenstände anhaken, bestätigen. Ein Bot sendet das Angebot; die Seite der Zuteilung zeigt, wie weit es ist.",
    how_blocked: "Etwas ist blockiert. Was nun?", how_blocked_text: "Seine Seite sagt, warum, und was zu tun ist, mit dem Formular dafür, wo es eines gibt. Danach geht das meiste von selbst weiter.",
    how_script: "Wie tut ein Programm das?", how_script_text: "Jede Seite sagt unten, wie ein Programm dasselbe tut: mit HTTP, in der Shell, in Rust.",
}
