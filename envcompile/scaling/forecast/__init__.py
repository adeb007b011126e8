"""Recorded load -> what it will be: models chosen by back-test, intervals from their errors, announced events.

| module | holds |
|---|---|
| `grid.py` | samples with all that is wrong with them -> one value for each slot of time |
| `models.py` | the candidates, from "last week" to a library's seasonal decomposition |
| `backtest.py` | each candidate's error on weeks that it has not seen, and the choice |
| `calendar.py` | announced events and holidays from a YAML or ICS file |
| `outlook.py` | the forecast: model, interval, events |
| `schedule.py` | the forecast as a floor under the number of replicas, in few windows |
"""
