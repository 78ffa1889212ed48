"""proxreg: the regularisation layer of JAX."""

from proxreg._pytree import pytree_dataclass as pytree_dataclass
from proxreg.penalties import L1 as L1
from proxreg.penalties import L2 as L2
from proxreg.penalties import Box as Box
from proxreg.penalties import ElasticNet as ElasticNet
from proxreg.penalties import GroupLasso as GroupLasso
from proxreg.penalties import NonNegative as NonNegative
from proxreg.penalties import Penalty as Penalty
from proxreg.penalties import Zero as Zero
from proxreg.penalties import box as box
from proxreg.penalties import elastic_net as elastic_net
from proxreg.penalties import group_lasso as group_lasso
from proxreg.penalties import l1 as l1
from proxreg.penalties import l2 as l2
from proxreg.penalties import non_negative as non_negative
from proxreg.penalties import zero as zero
