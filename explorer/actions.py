"""The one table of actions: bindings, footer, help, palette and the README's key table come from it."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType

EVERYWHERE = "everywhere"


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a key does. `name` is the method `action_<name>` of the screen, or of the app for everywhere."""

    name: str
    keys: str
    """Textual's key names, separated by commas."""
    shown_key: str
    label: str
    """For the footer: one or two words."""
    help: str
    where: tuple[str, ...]
    in_footer: bool = True
    first: bool = False
    """Whether the screen takes the key before the table or text that has the focus."""


HOME = "home"
CURVES = "curves"
SETS = "sets"
PROBLEM = "problem"
PATH = "path"
STATISTICS = "statistics"
TREE = "tree"
BRANCH = "branch"
COMPARE = "compare"
SEARCH = "search"
PERPLEXITY = "perplexity"
QUEUE = "queue"
QUEUED = "queued path"
AUDIT = "audit"
MATCHING = "matching"
DISPUTED = "disputed path"
BOOKMARKS = "bookmarks"
JOBS = "jobs"
IMPORTS = "imports"

SCREENS = (
    HOME, CURVES, STATISTICS, SETS, PROBLEM, TREE, BRANCH, PATH, COMPARE, SEARCH, PERPLEXITY, QUEUE, QUEUED, AUDIT,
    MATCHING, DISPUTED, BOOKMARKS, JOBS, IMPORTS, EVERYWHERE,
)  # fmt: skip
"""In the order of the README's key table."""

BESIDE = (QUEUE, QUEUED, DISPUTED, BOOKMARKS, JOBS, IMPORTS, EVERYWHERE)
SHOWING = tuple(name for name in SCREENS if name not in BESIDE)
"""The screens that show something of the store."""

ACTIONS = (
    Action("open", "enter", "enter", "Open", "Open the entry under the cursor", (HOME, PROBLEM, SETS)),
    Action("edit_run", "E", "E", "Edit run", "Rename a run, say what its model is, or remove it", (HOME,)),
    Action("imports", "I", "I", "Imports", "Imports and decisions, and taking them back", (HOME,)),
    Action("open", "enter", "enter", "Sets", "Solve sets of the runs shown", (CURVES,)),
    Action("k_next", "right,l", "→", "k", "k cursor to the next power of two", (CURVES,)),
    Action("k_previous", "left,h", "←", "k down", "k cursor to the previous power of two", (CURVES,), False),
    Action("k_step(1)", "shift+right,L", "shift →", "k + 1", "k cursor one up", (CURVES,), False),
    Action("k_step(-1)", "shift+left,H", "shift ←", "k − 1", "k cursor one down", (CURVES,), False),
    Action("k_first", "home", "home", "k = 1", "k cursor to 1", (CURVES,), False, True),
    Action("k_last", "end", "end", "k = n", "k cursor to the largest k", (CURVES,), False, True),
    Action("toggle_run", "space", "space", "Toggle", "Show or hide the run under the cursor", (CURVES,)),
    Action("all_runs", "a", "a", "All", "Show all runs, or only the pair again", (CURVES,), False),
    Action("all_runs", "a", "a", "All", "Show all runs, or only the pair again", (STATISTICS,)),
    Action("bands", "b", "b", "Bands", "95 % intervals: over problems, over samples, off", (CURVES,)),
    Action("difference", "d", "d", "Diff", "RL − base with its interval, and the crossing", (CURVES,)),
    Action("cover", "c", "c", "Cover", "Cover@tau: share of problems with c/n ≥ tau", (CURVES,), False),
    Action("statistics", "v", "v", "Views", "Statistics: accuracy, efficiency, steps, lengths", (CURVES,)),
    Action("move_view(1)", "right,l", "→", "View", "Go to the next view", (STATISTICS,)),
    Action("move_view(-1)", "left,h", "←", "View", "Go to the previous view", (STATISTICS,), False),
    Action("view(1)", "1", "1", "Accuracy", "Problems by share correct", (STATISTICS,), False),
    Action("view(2)", "2", "2", "Efficiency", "Delta_SE: base pass@k minus RL pass@1", (STATISTICS,), False),
    Action("view(3)", "3", "3", "Steps", "Checkpoints of one training by step", (STATISTICS,), False),
    Action("view(4)", "4", "4", "Temperature", "Temperatures, and the RL run closest in entropy", (STATISTICS,), False),
    Action("view(5)", "5", "5", "Lengths", "Response lengths of correct and incorrect samples", (STATISTICS,), False),
    Action("view(6)", "6", "6", "Agreement", "The majority answer, and maj@k", (STATISTICS,), False),
    Action("view(7)", "7", "7", "Verdicts", "Shares of verdicts", (STATISTICS,), False),
    Action("move_set(1)", "right,l", "→", "Set", "Go to the next solve set", (SETS,)),
    Action("move_set(-1)", "left,h", "←", "Set", "Go to the previous solve set", (SETS,), False),
    Action("min_correct(1)", "plus,equals_sign", "+", "Stricter", "Require one more correct sample", (SETS,), False),
    Action("min_correct(-1)", "minus", "-", "Looser", "Require one correct sample fewer", (SETS,), False),
    Action("valid", "V", "V", "Valid", "Count only valid paths (CoT-pass@k), or all correct", (CURVES, SETS), False),
    Action("suppose", "F", "F", "False +", "Suppose a rate of false positives, or no more", (CURVES, SETS), False),
    Action("sort", "s", "s", "Sort", "Sort by the next column", (SETS, PROBLEM)),
    Action("reverse", "S", "S", "Reverse", "Reverse the order", (SETS, PROBLEM), False),
    Action("mark", "space", "space", "Mark", "Mark the problem for resampling", (SETS,)),
    Action("resample", "r", "r", "Resample", "Draw more samples of the marked problems, or all shown", (SETS, PROBLEM)),
    Action("reference", "C", "C", "Reference", "Correct the reference answer, and verify anew", (PROBLEM,), False),
    Action("take_back", "U", "U", "Take back", "Take back what is under the cursor, or bring it back", (IMPORTS,)),
    Action("move_list(1)", "right,l", "→", "List", "Imports, or what was decided since", (IMPORTS,)),
    Action("move_list(-1)", "left,h", "←", "List", "The other list", (IMPORTS,), False),
    Action("log", "l", "l", "Log", "Show the log of the worker", (JOBS,)),
    Action("cancel", "x", "x", "Cancel", "Stop the worker; the samples drawn so far are kept", (JOBS,)),
    Action("resume", "R", "R", "Resume", "Start a worker for the rest", (JOBS,)),
    Action(
        "filter",
        "f",
        "f",
        "Filter",
        "Show some problems only: level=5, c<3",
        (CURVES, SETS, STATISTICS, PERPLEXITY, AUDIT),
    ),
    Action("other_run(1)", "right,l,o", "→", "Run", "Samples of the next run", (PROBLEM,)),
    Action("other_run(-1)", "left,h", "←", "Run", "Samples of the previous run", (PROBLEM,), False),
    Action("verdicts", "v", "v", "Verdict", "Only correct, only incorrect, or all samples", (PROBLEM, PERPLEXITY)),
    Action("answers", "a", "a", "Answers", "Show the distinct answers, or the samples again", (PROBLEM,)),
    Action("statement", "z", "z", "Text", "Show the statement full screen, or small again", (PROBLEM,), False),
    Action("tree", "t", "t", "Tree", "Search tree: all samples merged step by step", (PROBLEM,)),
    Action("open", "enter", "enter", "Samples", "List the samples of the branch", (TREE,)),
    Action("expand", "right,l", "→", "Expand", "Show how the branch continues, or the rarer branches", (TREE,)),
    Action("collapse", "left,h", "←", "Collapse", "Close the branch, or go to the one above", (TREE,), False),
    Action("most_taken", "m", "m", "Main path", "Follow the branches that most samples take", (TREE,)),
    Action("right_one", "o", "o", "Correct", "Follow the correct samples to where they split", (TREE,)),
    Action("parting", "d", "d", "Split", "Next branch that one of the models never takes", (TREE,)),
    Action("cut", "w", "w", "Words", "Build the tree by words instead of steps, or back", (TREE,), False),
    Action("sort", "s", "s", "Sort", "Sort by samples, by correct ones, by difference", (TREE,)),
    Action("copy", "y", "y", "Copy", "Copy the text of the branch", (TREE,), False),
    Action("open", "enter", "enter", "Read", "Read the sample under the cursor", (BRANCH,)),
    Action("step(1)", "right,l", "→", "Next", "Next sample", (PATH,)),
    Action("step(-1)", "left,h", "←", "Previous", "Previous sample", (PATH,), False),
    Action("step_right(1)", "right_square_bracket", "]", "Next ✓", "Next correct sample", (PATH,)),
    Action("step_right(-1)", "left_square_bracket", "[", "Prev ✓", "Previous correct sample", (PATH,), False),
    Action("step_wrong(1)", "right_curly_bracket", "}", "Next ✗", "Next incorrect sample", (PATH,)),
    Action("step_wrong(-1)", "left_curly_bracket", "{", "Prev ✗", "Previous incorrect sample", (PATH,), False),
    Action("other_run", "o", "o", "Run", "The same problem in the next run", (PATH,), False),
    Action("compare", "c", "c", "Compare", "Compare with the nearest path of the other run", (PATH,)),
    Action("reading", "m", "m", "Reading view", "Render formulas, code and Markdown, or show raw text", (PATH,), False),
    Action("difference(1)", "n", "n", "Next", "Next difference", (COMPARE,)),
    Action("difference(-1)", "p", "p", "Prev", "Previous difference", (COMPARE,)),
    Action("first_difference", "d", "d", "First", "Go to the first difference", (COMPARE,)),
    Action("other(1)", "right,l", "→", "Other", "Compare with the next path, longest shared start first", (COMPARE,)),
    Action("other(-1)", "left,h", "←", "Other", "Compare with the previous path", (COMPARE,), False),
    Action("kind", "c", "c", "Pair", "Nearest path: of the other run, of other verdict, any", (COMPARE,)),
    Action("together", "s", "s", "Lock", "Lock or unlock scrolling of the two paths", (COMPARE,)),
    Action("open", "enter", "enter", "Read", "Read the other path by itself", (COMPARE,)),
    Action("surprise", "t", "t", "Surprise", "Highlight tokens that a model did not expect", (PATH,), False),
    Action("surprising(1)", "full_stop", ".", "Next surprise", "Next surprising token", (PATH,), False),
    Action("surprising(-1)", "comma", ",", "Prev surprise", "Previous surprising token", (PATH,), False),
    Action("token(1)", "greater_than_sign", ">", "Next token", "Next token", (PATH,), False),
    Action("token(-1)", "less_than_sign", "<", "Prev token", "Previous token", (PATH,), False),
    Action(
        "threshold(1)",
        "plus,equals_sign",
        "+",
        "Stricter",
        "Highlight fewer tokens: only the more surprising",
        (PATH,),
        False,
    ),
    Action("threshold(-1)", "minus", "-", "Looser", "Highlight more tokens: also the less surprising", (PATH,), False),
    Action("scorer", "T", "T", "Other model", "Surprise under the next model", (PATH,), False),
    Action("to_answer", "a", "a", "Answer", "Go to the extracted answer", (PATH,), False),
    Action("judge('valid')", "v", "v", "Valid", "Judge the reasoning valid", (PATH, QUEUED)),
    Action("judge('invalid')", "x", "x", "Invalid", "Judge the reasoning invalid", (PATH, QUEUED)),
    Action("judge('unsure')", "u", "u", "Unsure", "Judge the reasoning unsure", (QUEUED,)),
    Action("judge('unsure')", "u", "u", "Unsure", "Judge the reasoning unsure", (PATH,), False),
    Action("take_back", "U", "U", "Take back", "Take back your judgement, or an overridden verdict", (PATH,), False),
    Action("take_back", "U", "U", "Take back", "Take back your judgement", (QUEUED,), False),
    Action("override", "O", "O", "Override", "Give another verdict, with a reason", (PATH, DISPUTED), False),
    Action(
        "statement", "z", "z", "Problem", "Show the problem and its reference answer", (PATH, QUEUED, DISPUTED), False
    ),
    Action("note", "n", "n", "Note", "Write a note on this path", (PATH, QUEUED), False),
    Action("next", "right,l,N", "→", "Next", "Next path in the queue that you have not judged", (QUEUED,)),
    Action("previous", "left,h", "←", "Back", "Previous path in the queue", (QUEUED,), False),
    Action("to_answer", "a", "a", "Answer", "Go to the extracted answer", (QUEUED, DISPUTED)),
    Action(
        "reading", "m", "m", "View", "Render formulas, code and Markdown, or show raw text", (QUEUED, DISPUTED), False
    ),
    Action("open", "enter", "enter", "Judge", "Read and judge the path under the cursor", (QUEUE,)),
    Action("next", "N", "N", "Next", "Read and judge the next path you have not judged", (QUEUE,)),
    Action("by_model", "m", "m", "By model", "Let a language model judge the correct paths", (QUEUE,)),
    Action("judges", "c", "c", "Judges", "Compare judges with people and each other", (QUEUE,)),
    Action("blind", "b", "b", "Blind", "Hide or show the models", (QUEUE,)),
    Action("open", "enter", "enter", "Read", "Read the disputed paths, from those of this problem on", (AUDIT,)),
    Action("next", "N", "N", "Next", "Read the first disputed path that nobody has judged", (AUDIT,)),
    Action("move_view(1)", "right,l", "→", "View", "Go to the next table, or to the curves", (AUDIT,)),
    Action("move_view(-1)", "left,h", "←", "View", "Go to the previous table", (AUDIT,), False),
    Action("sides", "o", "o", "Verdicts", "Choose the verdicts compared, or let a verifier judge", (AUDIT,)),
    Action("cancel", "x", "x", "Cancel", "Stop the verifier; what it has judged is kept", (AUDIT,)),
    Action("next", "right,l,N", "→", "Next", "Next disputed path", (DISPUTED,)),
    Action("previous", "left,h", "←", "Back", "Previous disputed path", (DISPUTED,), False),
    Action("say('correct')", "c", "c", "Correct", "Say that the answer is correct, with a reason", (DISPUTED,)),
    Action("say('wrong')", "x", "x", "Wrong", "Say that the answer is wrong, with a reason", (DISPUTED,)),
    Action("open", "enter", "enter", "Open", "Go to the bookmarked path", (BOOKMARKS,)),
    Action("remove", "x", "x", "Remove", "Remove the bookmark", (BOOKMARKS,)),
    Action("match(1)", "f", "f", "Match", "Next match of the search", (PATH,), False),
    Action("match(-1)", "F", "F", "Match", "Previous match", (PATH,), False),
    Action("random", "R", "R", "Random unread", "A random path of this run that you have not read", (PATH,), False),
    Action("bookmark", "b", "b", "Bookmark", "Add or remove a bookmark here", (PATH,), False),
    Action("details", "i", "i", "Details", "Show everything known about this sample", (PATH, DISPUTED), False),
    Action("followed", "w", "w", "Followed", "What is followed, and what was left out and why", (HOME,), False),
    Action("search", "slash", "/", "Search", "Search the texts of the samples", (HOME,)),
    Action("search", "slash", "/", "Search", "Search the texts of the samples", (CURVES, SETS, PROBLEM, PATH), False),
    Action("open", "enter", "enter", "Search / open", "Search; on a hit, open the path at the match", (SEARCH,)),
    Action("scope", "ctrl+o", "ctrl o", "Where", "Search this path, this problem, these runs, or all", (SEARCH,)),
    Action("keep", "K", "K", "Keep", "Keep the search as a filter on the benchmark's screens", (SEARCH,)),
    Action("pattern", "slash", "/", "Pattern", "Back to the search field", (SEARCH,)),
    Action("copy", "y", "y", "Copy", "Copy the ids of the problems shown, one per line", (SETS,), False),
    Action("copy", "y", "y", "Copy", "Copy the statement exactly as stored", (PROBLEM,), False),
    Action("copy", "y", "y", "Copy", "Copy the text exactly as stored", (PATH,), False),
    Action("score", "s", "s", "Score", "Score the group under the cursor, or all missing", (PERPLEXITY,)),
    Action(
        "perplexity",
        "P",
        "P",
        "Perplexity",
        "Likelihood of the responses under base and RL model",
        (HOME, CURVES, STATISTICS, SETS, PROBLEM, TREE, PATH),
        False,
    ),
    Action("export", "e", "e", "Export", "Export to a file: table, figure, paths, dataset", SHOWING, False),
    Action("copy_permalink", "Y", "Y", "Permalink", "Copy a command that reopens this view", SHOWING, False),
    Action("back", "escape,backspace", "esc", "Back", "Back to the previous screen", (EVERYWHERE,)),
    Action("queue", "Q", "Q", "Judge", "Judge correct paths of the hardest problems", (CURVES, SETS, PROBLEM), False),
    Action("open", "enter", "enter", "Problem", "Open the problem under the cursor", (MATCHING,)),
    Action("by", "b", "b", "Match by", "Make problems one by id, reference, pattern or list", (MATCHING,)),
    Action("undo", "U", "U", "Take back", "Take the match of the row under the cursor back", (MATCHING,)),
    Action("audit", "A", "A", "Audit", "Where two verifiers disagree on base and RL", (CURVES, SETS), False),
    Action("matching", "M", "M", "Matching", "Which problems of two runs are one", (HOME, CURVES, SETS), False),
    Action(
        "imports",
        "I",
        "I",
        "Imports",
        "Imports and decisions, and taking them back",
        (CURVES, STATISTICS, SETS, PROBLEM, TREE, PATH, COMPARE, SEARCH, PERPLEXITY, JOBS),
        False,
    ),
    Action("bookmarks", "B", "B", "Bookmarks", "Your bookmarks", (EVERYWHERE,), False),
    Action("jobs", "J", "J", "Jobs", "Jobs: progress, log, cancel, resume", (EVERYWHERE,), False),
    Action("help", "question_mark,f1", "?", "Keys", "The keys of this screen", (EVERYWHERE,)),
    Action("command_palette", "ctrl+p", "ctrl p", "Palette", "Search all actions", (EVERYWHERE,), False),
    Action("quit", "q,ctrl+q", "q", "Quit", "Quit the explorer", (EVERYWHERE,), False),
)
"""In the order of the footer and the help screen."""

MOVING = (
    ("↑ ↓ j k", "Move the cursor, scroll"),
    ("pgup pgdn", "A page up or down"),
    ("g G", "To the beginning, to the end"),
    ("tab", "To the next part of the screen"),
)
"""Keys of tables and texts, the same on every screen."""


def actions_of(where: str) -> list[Action]:
    """The actions of one screen, those of everywhere last."""
    return [action for action in ACTIONS if where in action.where or EVERYWHERE in action.where]


def bindings(where: str) -> list[BindingType]:
    """Textual bindings of one screen, or of the app for `EVERYWHERE`."""
    return [
        Binding(
            action.keys,
            action.name,
            action.label,
            key_display=action.shown_key,
            show=action.in_footer,
            priority=action.first,
        )
        for action in ACTIONS
        if where in action.where
    ]


def key_table() -> str:
    """The keys of every screen as a Markdown table, as it stands in the README."""
    rows = ["| screen | key | what it does |", "| --- | --- | --- |"]
    for where in SCREENS:
        rows += [f"| {where} | `{action.shown_key}` | {action.help} |" for action in ACTIONS if where in action.where]
    rows += [f"| tables and texts | `{keys}` | {what} |" for keys, what in MOVING]
    return "\n".join(rows)


if __name__ == "__main__":
    print(key_table())
