"""The only code of irscope that imports Triton, torch or the user's file.

It runs in whichever interpreter the user names, so it uses the standard library, Triton and, where it
is there, torch; it shares nothing with the rest of irscope but the JSON lines that it speaks.
"""
