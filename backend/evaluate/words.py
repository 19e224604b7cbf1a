"""What a sentence says, by keyword rules: which kind of interaction, and who does it.

The rules judge captions that a model wrote, so they look at words alone and know nothing of where a text came from.
"""

import re
from typing import NamedTuple

_KINDS: tuple[tuple[str, str], ...] = (
    # The first rule that matches wins, so telling words come before words that several kinds share.
    ("salsa", r"salsa|danc|ballroom|latin|mambo|rumba|cuban|boogie|twirl"),
    (
        "punch_dodge",
        r"punch|dodg|\bfists?\b|\bjabs?\b|\bhook\b|\bblow\b|evade|hits out|strikes|brawl"
        r"|\bbox(es|ing)\b|takes a swing|is attacked",
    ),
    (
        "high_five",
        r"high[- ]?fiv|\bfive\b|\bclap them together|\b(slap|smack|clap)(s|ping)?\b.*\b(palms?|hands?)\b"
        r"|\bpalms? (meet|smack)|hit each other's palm",
    ),
    (
        "handshake",
        r"handshake|\b(shake|shakes|shaking|shook)\b|pump(s|ing)?\b|\b(clasp|grip|grasp)s?\b.*\b(palm|hand)s?\b"
        r"|outstretched palm",
    ),
    ("hug", r"\bhug|embrac|cuddl|squeez|arms? around|\bin their arms|another's arms|\bcling"),
    ("pull", r"\bpull|\btug|\bdrag|\byank|\bhaul|\btows?\b|\bseizes?\b"),
    (
        "push",
        r"\bpush|\bshov|stagger|stumbl|\bjolt|\btotter|\breels?\b|\blurch|knock|thrusts? both arms|loses balance"
        r"|drives? both palms",
    ),
    (
        "bow",
        r"\bbow|upper bod|\btorsos?\b|\btrunks?\b|\bstoop|inclin|bends? forward|hinge at the hips|japanese greeting",
    ),
    ("wave", r"\bwav|waggl|beckon|\bhail|\bbye|farewell|to and fro|\bflap"),
    (
        "circle",
        r"circl|orbit|revolv|rotat|prowl|\bring\b|clockwise|\bround and round"
        r"|(around|round) (each other|one another|the other|a point|a common)",
    ),
    (
        "approach_retreat",
        r"approach|retreat|while the other walks up|withdraw|advanc|backs? (off|up)\b|gap between|near.*back off"
        r"|\b(step|walk|move|go|back|come)\w*\b.*\b(back|backwards|away|apart)\b|comes and goes",
    ),
    (
        "walk_together",
        r"\bwalk|stroll|\bmarch|\bambl|wander|side by side|next to each other|abreast|on foot|tandem|accompan"
        r"|alongside",
    ),
)


class _Verbs(NamedTuple):
    """How a sentence tells who acts: ``acting`` follows the name of the one who does it, ``suffering`` the other's."""

    acting: str
    suffering: str


_PASSIVE = r"(?:is|gets|are|being) (?:being |\w+ly |taken |fast )?"
_VERBS = {
    "push": _Verbs(
        r"push|shove|gives|steps|thrust|puts|presses|makes|knock|drives|forces|jolts|sends|angrily|\w+ly push",
        _PASSIVE + r"(?:pushed|shoved|knocked)|stagger|stumbl|receives|loses|reel|totter|lurch|shoved",
    ),
    "pull": _Verbs(
        r"pull|tug|takes|grabs|gives|steps|holds|wants|reaches|uses|drag|yanks|tow|haul|seizes|brings",
        _PASSIVE + r"(?:pulled|tugged|taken|hauled|dragged|yanked)|is taken|follows|stumbl|,? ?yanked|lurch",
    ),
    "punch_dodge": _Verbs(
        r"punch|throws|tries|hits|attack|boxes|fights|aims|steps in|swings|strikes|lashes|jabs|takes a swing",
        r"dodg|gets (?:out|clear)|\bduck|avoids|steps aside|leans|is attacked|slips|evade|narrowly|escapes|\w+ly dodg",
    ),
    "approach_retreat": _Verbs(
        r"approach|walks|comes|goes|takes|moves|\w+ly approach|steps|changes|advanc|draws|withdraw",
        r"is approached|stands|waits|watches|does not|stays|sees",
    ),
    "bow": _Verbs(
        r"bow|makes|greets|thanks|leans|bends|stoop|inclin",
        r"watches|stands|receives|remains|is greeted|does not",
    ),
    "wave": _Verbs(
        r"wav(?:es|ing)|raises|greets|lifts|hail|signal|beckon",
        r"watches|stands|stays|is waved|is greeted|does not",
    ),
}

_NAMES = {
    # Not the article: "A push by B".
    "A": r"(?i:one (?:person|character|figure)|someone|the first(?: (?:person|one|figure|character))?"
    r"|(?:person|character) A)|A(?! (?:push|pull|punch|person|brawl|short|step)\b)",
    "B": r"(?i:the other(?: (?:person|character|figure))?|another person|somebody else"
    r"|the second(?: (?:person|one|figure|character))?|(?:person|character) B)|B",
}
_MENTION = re.compile("|".join(rf"(?P<{person}>\b(?:{names})\b)" for person, names in _NAMES.items()))
_TOGETHER = re.compile(rf"(?:{_NAMES['A']}),? and (?:{_NAMES['B']})\b|each other|one another|who (?:bow|wave)s back")
_OTHER = {"A": "B", "B": "A"}


def caption_kind(text: str) -> str | None:
    """The kind of interaction that a caption or prompt names, or None where no rule knows its words."""
    lowered = text.lower()
    return next((kind for kind, pattern in _KINDS if re.search(pattern, lowered)), None)


def caption_actor(text: str) -> str | None:
    """Who does it by a caption's words: "A", "B", or "both"; None if one person acts but the words leave open who.

    The sentence is cut at the names; the first stretch after a name that holds a verb of doing or of suffering decides.
    """
    kind = caption_kind(text)
    verbs = _VERBS.get(kind or "")
    mentions = list(_MENTION.finditer(text))
    if verbs is None or _TOGETHER.search(text) or not mentions:
        return None if kind in ("push", "pull", "punch_dodge") or kind is None else "both"
    ends = [mention.start() for mention in mentions[1:]] + [len(text)]
    for mention, end in zip(mentions, ends, strict=True):
        stretch = text[mention.end() : end]
        person = str(mention.lastgroup)
        acting, suffering = re.search(verbs.acting, stretch), re.search(verbs.suffering, stretch)
        if suffering and (acting is None or suffering.start() <= acting.start()):
            return _OTHER[person]
        if acting:
            return person
    return None
