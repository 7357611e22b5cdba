from warroom.tui.panes.base import Pane


class LogsPane(Pane):
    title = "logs"
    excluded = ""

    def body(self, width, height):
        return [[(" waiting for the first line", "dim")]]

    def exclude(self, text):
        pass
