"""
The commands of `shulian`, one module per group; `api.cli` puts them together.

    serving up, down, status · performing demo · verifying verify · tracing trace · auditing audit,
    export · looking ls and show of every noun · acting every act, sending carries it out ·
    checking asset check · signing trade sign
"""
