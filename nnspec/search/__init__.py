"""Search: which values of a space of spec paths reach a goal best.

`plan` reads the section, `space` knows its points, `sampling` chooses them with Optuna in generations, `journal` keeps
what is known, and `engines` run trials somewhere. What a trial does is a function that they are given: nothing here
trains.
"""
