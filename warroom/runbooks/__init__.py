"""Markdown → schemes, playbooks, steps, checklists, contacts, templates; the linter.

Pure and deterministic: text in, values out. `parse` is the door.

outline     Markdown → sections with their blocks
shell       a block of shell text → commands → programs with their arguments
risk        a program → read, change or destroy, and why
steps       a fence or a piece of inline code → a step
severity    sections, tables and lists → schemes with response times
rules       what is dangerous or broken, one file a family
"""
