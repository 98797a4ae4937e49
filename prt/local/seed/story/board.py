"""The task board: tasks are added, moved, edited, commented on and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from prt.local.seed.people import MEMBER
from prt.local.seed.story import words
from prt.local.seed.story.steps import NOW, Scene, Shelf, Step, forget, restore, update
from prt.local.seed.tables import seeded

COLUMNS = ("todo", "in_progress", "review", "done")
HASTE = {"todo": 1.0, "in_progress": 1.2, "review": 1.5, "done": 0.6}
"""The relative probability that a task leaves its column, chosen so that no column becomes empty or full."""
PRIORITIES = ("low", "medium", "high", "urgent")
SEEDED_TASKS = 48
PRODUCTIONS, PERSONNEL, MILESTONES = 12, 18, 24


def seeded_status(number: int) -> str:
    """Return the status of the seed's task `number`."""
    return COLUMNS[number // 3 % 4]


class Board:
    """The task board, on which people add, move, edit and comment on tasks."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._tasks = {
            seeded("project_tasks", number): seeded_status(number) for number in range(1, SEEDED_TASKS + 1)
        }
        self._added = Shelf("project_tasks", 24)
        self._comments = Shelf("comments", 40)
        self._activities = Shelf("activities", 60)

    def opening(self) -> list[Step]:
        """Return the steps that undo what an earlier story did."""
        rows = {task: (status,) for task, status in self._tasks.items()}
        return [
            *(forget(table) for table in ("comments", "activities", "project_tasks")),
            restore("project_tasks", rows, ("status",), ("public.task_status",)),
        ]

    def move(self) -> Scene:
        """Move a task to the next column, sometimes from `review` back to `in_progress`."""
        row, status, shelf = self._any(HASTE)
        columns: dict[str, object] = {}
        if status == "done":
            towards, columns = "todo", {"completed_at": None, "priority": self._priority()}
        elif status == "review" and self._random.random() < 0.2:
            towards = "in_progress"
        else:
            towards = COLUMNS[COLUMNS.index(status) + 1]
        if towards == "done":
            columns = {"completed_at": NOW}
        if shelf is None:
            self._tasks[row] = towards
            yield update("project_tasks", row, status=towards, **columns)
        else:
            yield shelf.move(row, towards, **columns)
        if towards == "done":
            who = self._random.choice(words.PEOPLE)
            yield from self._activities.add(
                self._random,
                {
                    "production_id": self._production(),
                    "user_id": MEMBER.id,
                    "action": "completed",
                    "entity_type": "project_tasks",
                    "entity_id": row,
                    "summary": f"{who} finished a task",
                },
            )

    def add(self) -> Scene:
        """Add a task."""
        yield from self._added.add(
            self._random,
            {
                "status": "todo",
                "production_id": self._production(),
                "title": self._random.choice(words.TASKS),
                "priority": self._priority(),
                "assignee_id": self._person(),
                "labels": [self._random.choice(words.LABELS)],
                "estimate_hours": self._random.randint(1, 12) / 2,
            },
        )

    def edit(self) -> Scene:
        """Change a task's assignee, priority or position."""
        row, _, _ = self._any()
        match self._random.randrange(3):
            case 0:
                yield update("project_tasks", row, assignee_id=self._person())
            case 1:
                yield update("project_tasks", row, priority=self._priority())
            case _:
                yield update("project_tasks", row, position=self._random.randint(1, 9999) / 100)

    def comment(self) -> Scene:
        """Comment on a task."""
        row, _, _ = self._any()
        yield from self._comments.add(
            self._random,
            {
                "production_id": self._production(),
                "user_id": MEMBER.id,
                "entity_id": row,
                "body": self._random.choice(words.COMMENTS),
            },
        )

    def milestone(self) -> Scene:
        """Change the status of a milestone."""
        row = seeded("project_milestones", self._random.randint(1, MILESTONES))
        status = self._random.choice(("upcoming", "at_risk", "reached"))
        yield update(
            "project_milestones", row, status=status, reached_at=NOW if status == "reached" else None
        )

    def _any(self, weights: Mapping[str, float] | None = None) -> tuple[str, str, Shelf | None]:
        """Return a random task, its status, and its shelf (None for a task of the seed).

        `weights` are the relative probabilities of the columns.
        """
        tasks: list[tuple[str, str, Shelf | None]] = [(row, at, None) for row, at in self._tasks.items()]
        tasks += [(row, at, self._added) for row, at in self._added.rows.items()]
        if weights is None:
            return self._random.choice(tasks)
        return self._random.choices(tasks, [weights[at] for _, at, _ in tasks])[0]

    def _production(self) -> str:
        return seeded("productions", self._random.randint(1, PRODUCTIONS))

    def _person(self) -> str:
        return seeded("personnel", self._random.randint(1, PERSONNEL))

    def _priority(self) -> str:
        return self._random.choice(PRIORITIES)
