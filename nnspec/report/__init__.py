"""Pages that describe a build or a search; each is one self-contained file.

`page` writes `report.html` (template report.html.j2), `model_card` `MODEL_CARD.md`, `search_page` `search.html`.
`network` draws the network from `blocks`, `layered` and `drawing`; `outcome` computes what `plots`, `tables`, `worst`
and `glimpses` show; `data_tables` describes the data. `plotting` and `rendering` are used by all of them.
"""
