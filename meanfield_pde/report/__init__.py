"""One HTML page about all claims, from their files of evidence.

The page stands alone: figures are inside it, nothing is loaded, nothing runs.
"""

from meanfield_pde.report.page import page, write_report

__all__ = ["page", "write_report"]
