"""The smallest application that Textual can run: what the first paint is measured against."""

from textual.app import App

App[None]().run()
