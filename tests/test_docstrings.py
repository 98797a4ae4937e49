"""What a machine can judge of docstrings and messages: that they are there, and how they begin."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import pytest

from tests.test_architecture import Module, hold, modules, texts

NO_BEGINNING: Final = re.compile(
    r"(About|Above|Across|After|Against|Along|Among|Around|As|At|Before|Behind|Below|Beside|Between|Beyond|By"
    r"|Down|During|For|From|In|Inside|Into|Like|Near|Of|Off|On|Onto|Out|Over|Since|Through|To|Toward|Under"
    r"|Until|Up|Upon|With|Within|Without|Whose|Where|What)\b|[a-z]"
)
"""Prepositions, pronouns and lower-case words, with which a fragment begins."""

VERBS: Final = re.compile(
    r"""(
    Accept|Account|Acknowledge|Act|Add|Adopt|Allow|Answer|Append|Apply|Ask|Assign|Attach|Attempt
   |Authorise|Await|Begin|Bind|Blank|Block|Book|Bootstrap|Break|Bring|Broadcast|Buffer
   |Build|Calculate|Call|Cancel|Change|Charge|Check|Choose|Clean|Clear|Click|Close|Collect
   |Colour|Combine|Comment|Compare|Complete|Compute|Configure|Confirm|Connect|Consume
   |Continue|Convert|Copy|Count|Create|Cut|Decide|Declare|Decode|Delay|Delete|Deliver
   |Describe|Detect|Determine|Disable|Discard|Disconnect|Discover|Display|Distribute|Divide
   |Download|Drain|Draw|Drive|Drop|Duplicate|Edit|Emit|Empty|Enable|Encode|End|Ensure
   |Enter|Escape|Estimate|Evict|Examine|Exchange|Execute|Exit|Expand|Expect|Explain|Export
   |Extend|Extract|Fail|Feed|Fetch|Fill|Filter|Find|Finish|Fit|Flush|Focus|Follow|Forget
   |Format|Forward|Garble|Generate|Get|Give|Group|Grow|Guard|Handle|Hash|Hide|Highlight
   |Hold|Identify|Ignore|Import|Include|Inform|Insert|Inspect|Install|Interpret|Interrupt
   |Issue|Join|Judge|Jump|Keep|Kill|Lay|Learn|Leave|Let|Limit|List|Listen|Load|Locate
   |Lock|Log|Look|Lower|Make|Map|Mark|Match|Measure|Merge|Migrate|Move|Name|Narrow
   |Normalise|Note|Notify|Number|Observe|Offer|Open|Order|Page|Paint|Parse|Pass|Pause
   |Perform|Place|Plan|Play|Point|Poll|Pop|Post|Postpone|Prepare|Press|Prevent|Print
   |Process|Prove|Publish|Push|Put|Queue|Quote|Raise|Read|Receive|Recognise|Record|Recover
   |Redact|Refresh|Refuse|Register|Reject|Release|Remember|Remove|Rename|Render|Renew|Repeat
   |Replace|Replay|Reply|Report|Request|Require|Reserve|Reset|Resolve|Restart|Restore
   |Restrict|Resume|Retry|Return|Revoke|Rotate|Round|Run|Save|Scan|Schedule|Scroll|Search
   |Seek|Select|Sell|Send|Serve|Set|Settle|Share|Shift|Show|Shut|Sign|Simulate|Skip|Sleep
   |Sort|Split|Stall|Start|State|Step|Stop|Store|Stream|Strip|Subscribe|Substitute|Sum
   |Suspend|Switch|Take|Terminate|Test|Toggle|Track|Translate|Trim|Truncate|Try|Turn|Undo
   |Unlock|Unsubscribe|Update|Upload|Use|Validate|Verify|Wait|Wake|Walk|Warn|Watch|Withdraw
   |Wrap|Write|Yield
    )\b""",
    re.VERBOSE,
)
"""Imperatives with which the docstring of a function may begin. A verb that is missing here is added."""

STATED: Final = ("prt.checks.test.suites.",)
"""Packages whose functions are tests that users run: their docstrings state what must hold."""

DECLARED: Final = ("prt.cli.commands.", "prt.cli.options.")
"""Packages whose functions have options as parameters, each described by its own help."""

MOST_UNDESCRIBED: Final = 3
"""A public function with more parameters than this describes them in a block `Args:`."""

MESSAGE: Final = re.compile(r"knows no|has none|\b(?<!there )is no (?!longer\b)", re.IGNORECASE)
"""How no message is worded: "X is no Y" is "X is not a Y", "X knows no Y" is "unknown Y"."""

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Definition(NamedTuple):
    """A module, class or function; `is_public` if neither its name nor that of its class begins with `_`."""

    name: str
    node: Documented
    is_public: bool


def definitions(module: Module) -> Iterator[Definition]:
    """Yield a module with its classes, functions and methods, but no function that stands in another."""
    yield Definition(module.name, module.tree, True)
    yield from _within(module.tree, module.name, is_public=True)


def _within(node: ast.AST, name: str, *, is_public: bool) -> Iterator[Definition]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            own = Definition(f"{name}.{child.name}", child, is_public and not child.name.startswith("_"))
            yield own
            if isinstance(child, ast.ClassDef):
                yield from _within(child, own.name, is_public=own.is_public)
        elif isinstance(child, ast.If | ast.Try | ast.With):
            yield from _within(child, name, is_public=is_public)


def is_overload(node: Documented) -> bool:
    """Return whether a function is only a signature of the one that follows it, which has the docstring."""
    decorators = getattr(node, "decorator_list", [])
    return any(ast.unparse(each) in {"overload", "typing.overload"} for each in decorators)


def faults(definition: Definition) -> Iterator[str]:
    """Yield what is wrong with a docstring, one sentence each."""
    text = ast.get_docstring(definition.node)
    if not text:
        if definition.is_public and not is_overload(definition.node):
            yield f"{definition.name} has no docstring"
        return
    if isinstance(definition.node, ast.FunctionDef | ast.AsyncFunctionDef) and definition.is_public:
        yield from _faults_of_function(definition.name, definition.node, text)
    if NO_BEGINNING.match(text):
        yield f"{definition.name} begins as no sentence does: {text.splitlines()[0]}"


def _faults_of_function(name: str, node: ast.FunctionDef | ast.AsyncFunctionDef, text: str) -> Iterator[str]:
    is_property = any("property" in ast.unparse(each) for each in node.decorator_list)
    if not is_property and not name.startswith(STATED) and not VERBS.match(text):
        yield f"{name} does not begin with a verb in the imperative: {text.splitlines()[0]}"
    parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    count = sum(each.arg not in {"self", "cls"} for each in parameters)
    if count > MOST_UNDESCRIBED and not name.startswith(DECLARED) and "Args:" not in text:
        yield f"{name} has {count} parameters and no block Args:"


@pytest.mark.parametrize("package", sorted({module.package for module in modules().values()}))
def test_docstrings_are_there_and_begin_as_sentences(package: str) -> None:
    written = [module for module in modules().values() if module.package == package]
    hold(fault for module in written for definition in definitions(module) for fault in faults(definition))


def test_messages_are_worded_plainly() -> None:
    hold(
        f"{module.name}: {text}"
        for module in modules().values()
        for text in texts(module)
        if MESSAGE.search(text)
    )
