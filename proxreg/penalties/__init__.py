"""Penalties: pure functions ``value``, ``prox``, ``subgradient`` ... in one module each, and a class binding them."""

from proxreg.penalties import bounded_elastic_net as bounded_elastic_net
from proxreg.penalties import box as box
from proxreg.penalties import elastic_net as elastic_net
from proxreg.penalties import group_lasso as group_lasso
from proxreg.penalties import l1 as l1
from proxreg.penalties import l2 as l2
from proxreg.penalties import non_negative as non_negative
from proxreg.penalties import zero as zero
from proxreg.penalties.base import Penalty as Penalty
from proxreg.penalties.bounded_elastic_net import BoundedElasticNet as BoundedElasticNet
from proxreg.penalties.box import Box as Box
from proxreg.penalties.by_path import ByPath as ByPath
from proxreg.penalties.by_path import by_path as by_path
from proxreg.penalties.elastic_net import ElasticNet as ElasticNet
from proxreg.penalties.group_lasso import GroupLasso as GroupLasso
from proxreg.penalties.l1 import L1 as L1
from proxreg.penalties.l2 import L2 as L2
from proxreg.penalties.non_negative import NonNegative as NonNegative
from proxreg.penalties.separability import require_declared as require_declared
from proxreg.penalties.zero import Zero as Zero
