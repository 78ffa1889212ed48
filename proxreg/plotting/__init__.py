"""Pictures of what fits return, for the eye and for a paper; matplotlib is the extra ``plot``."""

from proxreg.plotting._axes import empty_figure as empty_figure
from proxreg.plotting.cv import plot_cv as plot_cv
from proxreg.plotting.gaps import plot_gaps as plot_gaps
from proxreg.plotting.path import plot_path as plot_path
from proxreg.plotting.sparsity import plot_sparsity as plot_sparsity
from proxreg.plotting.stability import plot_stability as plot_stability
