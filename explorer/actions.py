"""The one table of what can be done: bindings, footer, help, palette and the README's key table come from it."""

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
BOOKMARKS = "bookmarks"
JOBS = "jobs"

SCREENS = (
    HOME, CURVES, STATISTICS, SETS, PROBLEM, TREE, BRANCH, PATH, COMPARE, SEARCH, PERPLEXITY, QUEUE, QUEUED, BOOKMARKS,
    JOBS, EVERYWHERE,
)  # fmt: skip
"""In the order of the README's key table."""

SHOWING = tuple(name for name in SCREENS if name not in (QUEUE, QUEUED, BOOKMARKS, JOBS, EVERYWHERE))
"""The screens that show something of the store."""

ACTIONS = (
    Action("open", "enter", "enter", "Open", "Open what the cursor is on", (HOME, PROBLEM, SETS)),
    Action("open", "enter", "enter", "Sets", "Solve sets of the runs that are switched on", (CURVES,)),
    Action("k_next", "right,l", "→", "k", "Move the k cursor to the next k", (CURVES,)),
    Action("k_previous", "left,h", "←", "k down", "Move the k cursor to the previous k", (CURVES,), False),
    Action("k_step(1)", "shift+right,L", "shift →", "k + 1", "Move the k cursor by 1", (CURVES,), False),
    Action("k_step(-1)", "shift+left,H", "shift ←", "k - 1", "Move the k cursor by -1", (CURVES,), False),
    Action("k_first", "home", "home", "k = 1", "k cursor to 1", (CURVES,), False, True),
    Action("k_last", "end", "end", "k = n", "k cursor to the largest k", (CURVES,), False, True),
    Action("toggle_run", "space", "space", "On", "Switch the run under the cursor on or off", (CURVES,)),
    Action("all_runs", "a", "a", "All", "Switch all runs on, or back to the pair", (CURVES,), False),
    Action("all_runs", "a", "a", "All", "Switch all runs on, or back to the pair", (STATISTICS,)),
    Action("bands", "b", "b", "Bands", "95 % intervals: over problems, over samples, none", (CURVES,)),
    Action("difference", "d", "d", "Diff", "RL - base with its interval, and the crossing", (CURVES,)),
    Action("cover", "c", "c", "Cover", "Cover@tau: share of problems with c/n >= tau", (CURVES,)),
    Action("statistics", "v", "v", "Views", "Statistics: accuracy, efficiency, steps, lengths", (CURVES,)),
    Action("move_view(1)", "right,l", "→", "View", "Go to the next view", (STATISTICS,)),
    Action("move_view(-1)", "left,h", "←", "View", "Go to the previous view", (STATISTICS,), False),
    Action("view(1)", "1", "1", "Accuracy", "Problems by their share correct", (STATISTICS,), False),
    Action("view(2)", "2", "2", "Efficiency", "Delta_SE: base pass@k less RL pass@1", (STATISTICS,), False),
    Action("view(3)", "3", "3", "Steps", "Training steps of one model as a series", (STATISTICS,), False),
    Action("view(4)", "4", "4", "Temperature", "Temperatures, and the RL run of nearest entropy", (STATISTICS,), False),
    Action("view(5)", "5", "5", "Lengths", "Response lengths, right and other samples apart", (STATISTICS,), False),
    Action("view(6)", "6", "6", "Agreement", "The majority answer, and maj@k", (STATISTICS,), False),
    Action("view(7)", "7", "7", "Verdicts", "Shares of verdicts", (STATISTICS,), False),
    Action("move_set(1)", "right,l", "→", "Set", "Go to the next solve set", (SETS,)),
    Action("move_set(-1)", "left,h", "←", "Set", "Go to the previous solve set", (SETS,), False),
    Action("min_correct(1)", "plus,equals_sign", "+", "Min", "Ask for one more correct sample", (SETS,)),
    Action("min_correct(-1)", "minus", "-", "Lower", "Ask for one correct sample less", (SETS,), False),
    Action("valid", "V", "V", "Valid", "Count valid paths only (CoT-pass@k), or all right ones", (CURVES, SETS), False),
    Action("sort", "s", "s", "Sort", "Sort by the next column", (SETS, PROBLEM)),
    Action("reverse", "S", "S", "Reverse", "Turn the order around", (SETS, PROBLEM), False),
    Action("mark", "space", "space", "Mark", "Mark the problem for resampling", (SETS,)),
    Action("resample", "r", "r", "Resample", "Draw more samples of the marked problems, or all shown", (SETS, PROBLEM)),
    Action("log", "l", "l", "Log", "What the worker printed", (JOBS,)),
    Action("cancel", "x", "x", "Cancel", "Ask the worker to stop; what has been drawn stays", (JOBS,)),
    Action("resume", "R", "R", "Resume", "Start a worker for what is left", (JOBS,)),
    Action("filter", "f", "f", "Filter", "Only some problems: level=5, c<3", (CURVES, SETS, STATISTICS, PERPLEXITY)),
    Action("other_run(1)", "right,l,o", "→", "Run", "Samples of the next run", (PROBLEM,)),
    Action("other_run(-1)", "left,h", "←", "Run", "Samples of the previous run", (PROBLEM,), False),
    Action("verdicts", "v", "v", "Verdict", "Only right ones, only others, or all samples", (PROBLEM, PERPLEXITY)),
    Action("answers", "a", "a", "Answers", "Show the answers given, or the samples again", (PROBLEM,)),
    Action("statement", "z", "z", "Text", "Give the statement the whole screen, or back", (PROBLEM,), False),
    Action("tree", "t", "t", "Tree", "The search tree: all samples merged by their steps", (PROBLEM,)),
    Action("open", "enter", "enter", "Samples", "The samples under the branch", (TREE,)),
    Action("expand", "right,l", "→", "Expand", "Show how the branch goes on, or the rarer branches", (TREE,)),
    Action("collapse", "left,h", "←", "Collapse", "Hide what is below, or go to the branch above", (TREE,), False),
    Action("most_taken", "m", "m", "Most", "Follow the way that most samples take", (TREE,)),
    Action("right_one", "o", "o", "Right", "Follow the right samples down to where they part", (TREE,)),
    Action("parting", "d", "d", "Part", "To the first branches that one model never takes", (TREE,)),
    Action("cut", "w", "w", "Words", "Make the tree by words instead of steps, or back", (TREE,)),
    Action("sort", "s", "s", "Sort", "Sort by samples, by right ones, by difference", (TREE,)),
    Action("copy", "y", "y", "Copy", "Copy the text of the branch", (TREE,), False),
    Action("open", "enter", "enter", "Read", "Read the sample under the cursor", (BRANCH,)),
    Action("step(1)", "right,l", "→", "Next", "Next sample", (PATH,)),
    Action("step(-1)", "left,h", "←", "Previous", "Previous sample", (PATH,), False),
    Action("step_right(1)", "right_square_bracket", "]", "Next ✓", "Next right sample", (PATH,)),
    Action("step_right(-1)", "left_square_bracket", "[", "Right", "Previous right sample", (PATH,), False),
    Action("step_wrong(1)", "right_curly_bracket", "}", "Next ✗", "Next wrong sample", (PATH,)),
    Action("step_wrong(-1)", "left_curly_bracket", "{", "Wrong", "Previous wrong sample", (PATH,), False),
    Action("other_run", "o", "o", "Run", "The same problem in the next run", (PATH,), False),
    Action("compare", "c", "c", "Compare", "Beside the nearest path of the other run", (PATH,)),
    Action("reading", "m", "m", "Reading view", "Formulas, code and Markdown made readable, or raw", (PATH,), False),
    Action("difference(1)", "n", "n", "Next", "Next difference", (COMPARE,)),
    Action("difference(-1)", "p", "p", "Prev", "Previous difference", (COMPARE,)),
    Action("first_difference", "d", "d", "First", "Where the two paths first differ", (COMPARE,)),
    Action("other(1)", "right,l", "→", "Other", "Beside the next path, by length of the common beginning", (COMPARE,)),
    Action("other(-1)", "left,h", "←", "Other", "Beside the path before", (COMPARE,), False),
    Action("kind", "c", "c", "Which", "Nearest of the other run, nearest right one, any", (COMPARE,)),
    Action("together", "s", "s", "Apart", "Scroll both together or each for itself", (COMPARE,)),
    Action("open", "enter", "enter", "Read", "Read the other path alone", (COMPARE,)),
    Action("surprise", "t", "t", "Surprise", "Point out tokens that a model did not expect", (PATH,), False),
    Action("surprising(1)", "full_stop", ".", "Next surprise", "Next surprising token", (PATH,), False),
    Action("surprising(-1)", "comma", ",", "Last surprise", "Previous surprising token", (PATH,), False),
    Action("token(1)", "greater_than_sign", ">", "Next token", "Next token", (PATH,), False),
    Action("token(-1)", "less_than_sign", "<", "Last token", "Previous token", (PATH,), False),
    Action("threshold(1)", "plus,equals_sign", "+", "Stricter", "Ask for more surprise of a token", (PATH,), False),
    Action("threshold(-1)", "minus", "-", "Looser", "Ask for less surprise of a token", (PATH,), False),
    Action("scorer", "T", "T", "Other model", "Surprise of the tokens to the next model", (PATH,), False),
    Action("to_answer", "a", "a", "Answer", "Go to the extracted answer", (PATH,), False),
    Action("judge('valid')", "v", "v", "Valid", "Judge the reasoning valid", (PATH, QUEUED)),
    Action("judge('invalid')", "x", "x", "Invalid", "Judge the reasoning invalid", (PATH, QUEUED)),
    Action("judge('unsure')", "u", "u", "Unsure", "Say that one cannot be sure of the reasoning", (QUEUED,)),
    Action("judge('unsure')", "u", "u", "Unsure", "Say that one cannot be sure of the reasoning", (PATH,), False),
    Action("statement", "z", "z", "Problem", "Show what was asked, and the reference answer", (PATH, QUEUED), False),
    Action("note", "n", "n", "Note", "Write a note on this path", (PATH, QUEUED), False),
    Action("next", "right,l,N", "→", "Next", "The next path of the queue that you have not judged", (QUEUED,)),
    Action("previous", "left,h", "←", "Back", "The path before in the queue", (QUEUED,), False),
    Action("to_answer", "a", "a", "Answer", "Go to the extracted answer", (QUEUED,)),
    Action("reading", "m", "m", "View", "Formulas, code and Markdown made readable, or raw", (QUEUED,), False),
    Action("open", "enter", "enter", "Judge", "Read and judge the path under the cursor", (QUEUE,)),
    Action("next", "N", "N", "Next", "Read and judge the next path that you have not judged", (QUEUE,)),
    Action("blind", "b", "b", "Blind", "Hide the models, or show them", (QUEUE,)),
    Action("open", "enter", "enter", "Open", "Go to the place", (BOOKMARKS,)),
    Action("remove", "x", "x", "Remove", "Take the bookmark away", (BOOKMARKS,)),
    Action("match(1)", "f", "f", "Match", "Next match of what was searched for", (PATH,), False),
    Action("match(-1)", "F", "F", "Match", "Previous match", (PATH,), False),
    Action("random", "R", "R", "Unseen", "A random path of this run that you have not seen", (PATH,), False),
    Action("bookmark", "b", "b", "Bookmark", "Set a bookmark here, or take it away", (PATH,), False),
    Action("details", "i", "i", "Details", "Show all that is known about this sample", (PATH,), False),
    Action("search", "slash", "/", "Search", "Search the texts of the samples", (HOME,)),
    Action("search", "slash", "/", "Search", "Search the texts of the samples", (CURVES, SETS, PROBLEM, PATH), False),
    Action("open", "enter", "enter", "Search / open", "Search; on a path found, open it at the match", (SEARCH,)),
    Action("scope", "ctrl+o", "ctrl o", "Where", "Search this path, this problem, these runs, or all", (SEARCH,)),
    Action("keep", "K", "K", "Keep", "Keep the search as a filter of the benchmark's screens", (SEARCH,)),
    Action("pattern", "slash", "/", "Pattern", "Back to the line one types in", (SEARCH,)),
    Action("copy", "y", "y", "Copy", "Copy the ids of the problems shown, one a line", (SETS,), False),
    Action("copy", "y", "y", "Copy", "Copy the statement, exactly as it is stored", (PROBLEM,), False),
    Action("copy", "y", "y", "Copy", "Copy the text, exactly as it is stored", (PATH,), False),
    Action("score", "s", "s", "Score", "Score what the cursor is on, or all that is missing", (PERPLEXITY,)),
    Action(
        "perplexity",
        "P",
        "P",
        "Perplexity",
        "How likely the responses are to base and RL model",
        (HOME, CURVES, STATISTICS, SETS, PROBLEM, TREE, PATH),
        False,
    ),
    Action("export", "e", "e", "Export", "Write this to a file: table, figure, paths, dataset", SHOWING, False),
    Action(
        "copy_permalink", "Y", "Y", "Place", "Copy the command that opens this place in another copy", SHOWING, False
    ),
    Action("back", "escape,backspace", "esc", "Back", "Back to where you were", (EVERYWHERE,)),
    Action("queue", "Q", "Q", "Judge", "Judge right paths of the hardest problems", (CURVES, SETS, PROBLEM), False),
    Action("bookmarks", "B", "B", "Bookmarks", "The places that you bookmarked", (EVERYWHERE,), False),
    Action("jobs", "J", "J", "Jobs", "Sampling jobs: progress, log, cancel, resume", (EVERYWHERE,), False),
    Action("help", "question_mark,f1", "?", "Keys", "The keys of this screen", (EVERYWHERE,)),
    Action("command_palette", "ctrl+p", "ctrl p", "Palette", "Search all actions", (EVERYWHERE,), False),
    Action("quit", "q,ctrl+q", "q", "Quit", "Leave the explorer", (EVERYWHERE,), False),
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
