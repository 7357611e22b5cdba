"""A team's Markdown runbooks: schemes, playbooks, steps, checklists, contacts."""
