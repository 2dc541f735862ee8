//! The figure of each component in a row.

use std::borrow::Cow;

use super::energies::Energies;
use super::provenance::Methods;
use crate::method::Method;
use crate::sensor::Component;
use crate::units::Joules;

/// The energy of one component at the device, and how it was obtained.
#[derive(Clone, Debug)]
pub(crate) struct ComponentFigure<'a> {
    pub(crate) component: Component,
    /// `None` if the component has no figure of its own.
    pub(crate) energy: Option<Joules>,
    pub(crate) method: Cow<'a, Method>,
}

/// Returns the figures of the processors, the GPUs, the memory and the rest, which add up to the total
/// of `energies`.
pub(crate) fn component_figures<'a>(
    energies: &Energies,
    methods: &'a Methods,
) -> [ComponentFigure<'a>; 4] {
    let Methods { cpu, gpu, ram, other, machine, .. } = methods;
    let figure = |component, method: &'a Method| {
        let has_figure = !method.is_none() && !method.is_included();
        let energy = has_figure.then(|| energies.get(component));
        ComponentFigure { component, energy, method: Cow::Borrowed(method) }
    };
    let other = match machine {
        // What the wall meter saw beyond the components that have a figure of their own.
        Some(method) => {
            let rest = energies.total(true) - energies.total(false);
            let rest = energies.get(Component::Other) + rest;
            let energy = Some(Joules(rest.0.max(0.0)));
            let method = Cow::Owned(method.clone().of_rest());
            ComponentFigure { component: Component::Other, energy, method }
        }
        None => figure(Component::Other, other),
    };
    [figure(Component::Cpu, cpu), figure(Component::Gpu, gpu), figure(Component::Ram, ram), other]
}
