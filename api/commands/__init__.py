"""
The commands of `shulian`, one module per group; `api.cli` puts them together.

    serving up, down, status · performing demo · verifying verify · tracing trace · auditing audit,
    export · looking ls and show of every noun, versions history · vouching evidence ·
    acting every act, sending carries it out ·
    checking asset check · signing trade sign · backing backup, restore ·
    mirroring mirror status, verify · mending mirror rebuild, repair · archiving mirror export
"""
