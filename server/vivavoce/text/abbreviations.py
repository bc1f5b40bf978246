"""English abbreviations: which full stops end no sentence, and what the short form stands for.

Plain tables. The splitter asks whether a sentence may end after one of them, the English reader what to say instead.
Keys are lower-case, without the last full stop.
"""

# ruff: noqa: SIM905  # words in one string read better than a column of quoted ones
from __future__ import annotations

from typing import Final, Literal

# A name or another word always follows.
NEVER_END: Final = frozenset(
    "mr mrs ms mx dr prof rev hon gen col maj capt lt sgt cmdr adm gov sen rep pres supt messrs mme mlle "
    "vs e.g i.e cf viz approx ca "
    "cpl pvt pfc sgt cpt comdr cdr insp det supt const lieut brig amb atty msgr rt fr br sra srta asst "
    "incl excl".split()
)

# No sentence ends at these in front of a small letter; in front of a capital it does.
BEFORE_SMALL: Final = frozenset(
    "max min avg temp incl excl tbsp tsp tbs pkg pkgs qty misc orig ed eds trans alt std dev ref refs req reqs mfg mfr "
    "intl natl govt bldg ctr hwy pkwy ln sq ext attn acct amt bal cont contd def diff dim elec eng env equip est exec "
    "exp fwd gal gals hdqrs ht wt in ft yd yds oz lb lbs pt pts qt qts hosp illus inst mgr mo mos mun neg nos num obs "
    "org pos prelim prob prod pub qtr recd reg rel rept resp rm rte sec secs ser spec subj supp tech terr treas vac "
    "var vet vol vols wk wks yr yrs hr hrs mins approx poss resp esp "
    "deg feat mon tue tues wed thu thur thurs fri "
    "abbr adj adv anon arr aux biol chem cent comp conf "
    "corr decd dept dist div ea encl equiv etc fac fem freq gov hist ibid id impt incr insp introd jct lang lit loc "
    "masc math med meas mech min mod nat nom occ opt par para pat perc perf perm pl plur pop pref pres princ prod pron "
    "prop prov quot rec rev sched sci sing soc stat str sub sup syn tel topog univ usu util vert viz".split()
)
# Short words without a vowel that are words and not abbreviations.
VOICELESS_WORDS: Final = frozenset(
    "hmm hm mm mmm shh shhh sh psst pst pfft brr brrr tsk nth pls thx ppl btw tbh".split()
)

# The sentence may end here; the word that follows tells.
MAY_END: Final = frozenset(
    "etc inc ltd co corp jr sr st ave blvd rd mt ft dept est al bros esq apt univ assn oz lb lbs hr hrs mins secs "
    "ph.d b.sc m.sc d.phil ll.b ll.m".split()
)

# Abbreviations in front of a digit. "word": also an ordinary word, so that without a digit the sentence ends.
BEFORE_NUMBERS: Final[dict[str, Literal["word", "short"]]] = {
    **dict.fromkeys("no art fig figs sec mar mon wed fri sat sun".split(), "word"),
    **dict.fromkeys(
        "nos vol vols pp ch eq op pt tel ext jan feb apr jun jul aug sep sept oct nov dec tue tues thu thur "
        "thurs".split(),
        "short",
    ),
}

# Words that start a sentence far more often than they follow "U.S." or "Inc." inside one.
SENTENCE_STARTERS: Final = frozenset(
    "a an the i he she it we you they this that these those there here his her its our my your their but and or so "
    "then in on at if when while after before since because as what why how who where which is are was were do does "
    "did can could will would should may let please no yes not now also however for to with from by some many most "
    "all every each both one two another".split()
)

# What follows "5 p.m." inside a sentence although it has a capital letter.
ZONES_AND_DAYS: Final = frozenset(
    "eastern central mountain pacific atlantic greenwich monday tuesday wednesday thursday friday saturday sunday "
    "january february march april may june july august september october november december".split()
)

MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
                 "November", "December")  # fmt: skip

# Said in place of the short form with its full stop.
SPOKEN: Final[dict[str, str]] = {
    "mr": "mister", "mrs": "missus", "ms": "miz", "mx": "mix", "dr": "doctor", "prof": "professor",
    "rev": "reverend", "hon": "honorable", "gen": "general", "col": "colonel", "maj": "major", "capt": "captain",
    "lt": "lieutenant", "sgt": "sergeant", "cmdr": "commander", "adm": "admiral", "gov": "governor",
    "sen": "senator", "rep": "representative", "pres": "president", "messrs": "messieurs",
    "vs": "versus", "e.g": "for example", "i.e": "that is", "cf": "compare", "viz": "namely", "ca": "circa",
    "approx": "approximately", "etc": "et cetera", "inc": "incorporated", "ltd": "limited", "co": "company",
    "corp": "corporation", "jr": "junior", "sr": "senior", "ave": "avenue", "blvd": "boulevard", "rd": "road",
    "mt": "mount", "dept": "department", "bros": "brothers", "esq": "esquire", "apt": "apartment",
    "univ": "university", "assn": "association", "oz": "ounces", "lb": "pounds", "lbs": "pounds", "hr": "hour",
    "hrs": "hours", "mins": "minutes", "secs": "seconds",
    "jan": "January", "feb": "February", "apr": "April", "jun": "June", "jul": "July", "aug": "August",
    "sep": "September", "sept": "September", "oct": "October", "nov": "November", "dec": "December",
    "max": "maximum", "min": "minimum", "avg": "average", "temp": "temperature", "incl": "including",
    "excl": "excluding", "misc": "miscellaneous", "qty": "quantity", "pkg": "package", "pkgs": "packages",
    "govt": "government", "intl": "international", "natl": "national", "bldg": "building", "hwy": "highway",
    "pkwy": "parkway", "std": "standard", "orig": "originally", "attn": "attention", "asst": "assistant",
    "assoc": "associate", "mgr": "manager", "wt": "weight", "ht": "height", "cont": "continued", "contd": "continued",
    "ref": "reference", "refs": "references", "para": "paragraph", "cpl": "corporal", "pvt": "private",
    "det": "detective", "insp": "inspector", "atty": "attorney", "amb": "ambassador", "msgr": "monsignor",
    "acct": "account", "amt": "amount", "esp": "especially", "equiv": "equivalent", "freq": "frequency",
    "tbsp": "tablespoons", "tsp": "teaspoons", "yrs": "years", "yr": "year", "wk": "week", "wks": "weeks",
    "mo": "month", "mos": "months", "supt": "superintendent", "ea": "each", "usu": "usually", "poss": "possibly",
    "resp": "respectively", "sq": "square", "ctr": "center", "ln": "lane", "sgts": "sergeants", "pfc": "P.F.C.",
    "cmdt": "commandant", "lieut": "lieutenant", "brig": "brigadier", "dist": "district", "mfg": "manufacturing",
    "tue": "Tuesday", "tues": "Tuesday", "thu": "Thursday", "thur": "Thursday", "thurs": "Thursday",
}  # fmt: skip

# Said only in front of a number: "No. 5", "fig. 2".
SPOKEN_BEFORE_NUMBER: Final[dict[str, str]] = {
    "no": "number", "nos": "numbers", "art": "article", "fig": "figure", "figs": "figures", "sec": "section",
    "vol": "volume", "vols": "volumes", "p": "page", "pp": "pages", "ch": "chapter", "eq": "equation",
    "pg": "page", "pgs": "pages", "lv": "level", "lvl": "level",
    "ste": "suite", "op": "opus", "pt": "part", "tel": "telephone",
    "ext": "extension", "mar": "March", "mon": "Monday",
    "wed": "Wednesday", "fri": "Friday", "sat": "Saturday", "sun": "Sunday",
}  # fmt: skip
