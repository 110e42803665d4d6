"""What may be spent: budgets, the money that calls set aside, and what happens where there is none left."""

from __future__ import annotations

from fondation.budgets.account import BudgetAccount
from fondation.budgets.budget import Budget, budgets_of
from fondation.budgets.budgets import Budgets
from fondation.budgets.warnings import Warnings, open_warnings

__all__ = ["Budget", "BudgetAccount", "Budgets", "Warnings", "budgets_of", "open_warnings"]
