"""optax transformations that end at exact zeros: links, whole optimisers, and tools for the networks they leave."""

from proxreg.transforms.adagrad import proximal_adagrad as proximal_adagrad
from proxreg.transforms.adam import adam_euclidean_prox as adam_euclidean_prox
from proxreg.transforms.adam import proximal_adam as proximal_adam
from proxreg.transforms.debias import debias as debias
from proxreg.transforms.ftrl import ftrl as ftrl
from proxreg.transforms.gradient_mapping import gradient_mapping as gradient_mapping
from proxreg.transforms.lion import proximal_lion as proximal_lion
from proxreg.transforms.proximal import proximal as proximal
from proxreg.transforms.prune import prune as prune
from proxreg.transforms.rda import rda as rda
from proxreg.transforms.sgd import proximal_sgd as proximal_sgd
from proxreg.transforms.sparsity import Sparsity as Sparsity
from proxreg.transforms.sparsity import sparsity as sparsity
from proxreg.transforms.subgradient import add_subgradient as add_subgradient
from proxreg.transforms.subgradient import decoupled_shrinkage as decoupled_shrinkage
