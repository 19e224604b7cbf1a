"""Prompts to begin with, in the families in which the models know interactions."""

EXAMPLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Greeting",
        (
            "two people shake hands",
            "two people wave at each other",
            "two people bow to each other",
            "two people give each other a high five",
            "the first person tips a hat to the second",
        ),
    ),
    (
        "Affection",
        (
            "two people hug",
            "two people hold hands",
            "the first person pats the second on the shoulder",
            "the second person consoles the first",
        ),
    ),
    (
        "Dance and Play",
        (
            "two people dance salsa",
            "two people dance a waltz",
            "two people mirror each other's movements",
            "two people play a clapping game",
            "two people throw a ball to each other",
        ),
    ),
    (
        "Together",
        (
            "two people walk side by side",
            "two people carry something heavy together",
            "the first person helps the second up",
            "the second person points something out to the first",
        ),
    ),
    (
        "Quarrel",
        (
            "two people argue with each other",
            "the first person pushes the second away",
            "the first person threatens the second with a fist",
            "the second person surrenders to the first",
        ),
    ),
    (
        "Fight",
        (
            "the first person punches and the second dodges",
            "the first person kicks at the second, who jumps back",
            "two people wrestle with each other",
        ),
    ),
    (
        "Chase",
        (
            "the first person chases the second",
            "two people circle each other",
            "the first person walks up to the second and steps back again",
        ),
    ),
)
"""Families, each with its prompts."""
